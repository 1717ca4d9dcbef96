"""A site with djoser: its users, and the token endpoints of this app in place of its own."""

import sys

from tests.projects.hosts.common import PASSWORD, configure, create_user, documented, problems

before = "before" in sys.argv  # the site as it was with Simple JWT
ours = "token_blacklist.authentication.JWTAuthentication"

configure(
    __name__,
    apps=["djoser", "token_blacklist"],
    authentication=ours.replace("token_blacklist", "rest_framework_simplejwt") if before else ours,
    TOKEN_BLACKLIST={"REFRESH_COOKIE_PATH": "/auth/jwt/"},
)

from django.urls import include, path  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from token_blacklist.models import OutstandingToken  # noqa: E402
from token_blacklist.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
    TokenVerifyView,
)

urlpatterns = [
    path("auth/", include("djoser.urls")),
    *(
        [path("auth/", include("djoser.urls.jwt"))]
        if before
        else [
            path("auth/jwt/create/", TokenObtainPairView.as_view(), name="jwt-create"),
            path("auth/jwt/refresh/", TokenRefreshView.as_view(), name="jwt-refresh"),
            path("auth/jwt/verify/", TokenVerifyView.as_view(), name="jwt-verify"),
            path("auth/jwt/blacklist/", TokenBlacklistView.as_view(), name="jwt-blacklist"),
        ]
    ),
]


def post(path, body, **headers):
    return APIClient().post(f"/auth/{path}/", body, format="json", **headers)


def check_session():
    credentials = {"username": "ada", "password": PASSWORD}
    pair = post("jwt/create", credentials).json()
    assert OutstandingToken.objects.count() == 1
    assert me(pair).json()["username"] == "ada"
    assert post("jwt/verify", {"token": pair["access"]}).status_code == 200
    pair = post("jwt/refresh", {"refresh": pair["refresh"]}).json()
    assert me(pair).status_code == 200

    assert post("jwt/blacklist", {"refresh": pair["refresh"]}).status_code == 200
    assert me(pair).status_code == 401
    assert post("jwt/refresh", {"refresh": pair["refresh"]}).status_code == 401


def me(pair):
    return APIClient().get("/auth/users/me/", HTTP_AUTHORIZATION=f"Bearer {pair['access']}")


def main():
    create_user()
    if before:
        assert problems() == ["E031", *["E032"] * 3], problems()
        return
    assert problems() == []
    lines = documented("djoser")
    for name in ("create", "refresh", "verify", "blacklist"):
        assert any(f'"auth/jwt/{name}/"' in line for line in lines), name
    check_session()


if __name__ == "__main__":
    main()
