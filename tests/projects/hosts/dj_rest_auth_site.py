"""A site with dj-rest-auth: tokens in cookies and in bodies, and Django sessions."""

import sys

from tests.projects.hosts.common import PASSWORD, configure, create_user, documented, problems

AUTHENTICATION = "token_blacklist.rest_auth.JWTCookieAuthentication"
CLAIMS = "token_blacklist.serializers.TokenObtainPairSerializer"
URLS = "token_blacklist.rest_auth.urls"
OPTIONS = {"SIGNING_KEY": "signs-the-tokens-of-the-tests-" * 3}
before = "before" in sys.argv  # the site as it was with Simple JWT

configure(
    __name__,
    apps=["dj_rest_auth", "token_blacklist"],
    authentication="dj_rest_auth.jwt_auth.JWTCookieAuthentication" if before else AUTHENTICATION,
    TOKEN_BLACKLIST=OPTIONS,
    SIMPLE_JWT=OPTIONS,
    REST_AUTH={
        "USE_JWT": True,
        "TOKEN_MODEL": None,
        "JWT_AUTH_COOKIE": "site-auth",
        "JWT_AUTH_REFRESH_COOKIE": "site-refresh",
        "JWT_AUTH_HTTPONLY": False,
        **({} if before else {"JWT_TOKEN_CLAIMS_SERIALIZER": CLAIMS}),
    },
)

from dj_rest_auth.app_settings import api_settings  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from token_blacklist.models import BlacklistedToken, OutstandingToken  # noqa: E402

urlpatterns = [path("auth/", include("dj_rest_auth.urls" if before else URLS))]
CREDENTIALS = {"username": "ada", "password": PASSWORD}
SIGNED_OUT = {"detail": "Successfully logged out."}


def sign_in():
    """Return a browser, with cookies, and the pair in the response."""
    browser = APIClient()
    pair = browser.post("/auth/login/", CREDENTIALS, format="json").json()
    assert browser.get("/auth/user/").json()["username"] == "ada"
    return browser, pair


def app(access):
    """Return a client without cookies."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def refresh(token):
    return APIClient().post("/auth/token/refresh/", {"refresh": token}, format="json")


def refused(pair):
    """Return whether both tokens are refused."""
    answers = app(pair["access"]).get("/auth/user/"), refresh(pair["refresh"])
    return [answer.status_code for answer in answers] == [401, 401]


def check_cookies():
    browser, pair = sign_in()
    assert OutstandingToken.objects.get(jti__in=[session_of(pair)]).user.username == "ada"
    verified = browser.post("/auth/token/verify/", {"token": pair["access"]}, format="json")
    assert verified.status_code == 200

    answer = browser.post("/auth/token/refresh/", {}, format="json")
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()) == {
        *("access", "access_expiration"),
        *("refresh", "refresh_expiration"),
    }
    assert browser.cookies["site-refresh"].value == answer.json()["refresh"] != pair["refresh"]
    assert browser.cookies["site-auth"].value == answer.json()["access"]
    assert browser.get("/auth/user/").status_code == 200

    left = browser.post("/auth/logout/", {}, format="json")
    assert (left.status_code, left.json()) == (200, SIGNED_OUT)
    assert not browser.cookies["site-refresh"].value
    assert refused(answer.json())
    assert browser.get("/auth/user/").status_code == 401


def check_bodies():
    _browser, pair = sign_in()
    answer = refresh(pair["refresh"])
    assert answer.status_code == 200, answer.json()
    pair = answer.json()
    assert app(pair["access"]).get("/auth/user/").status_code == 200

    left = APIClient().post("/auth/logout/", {"refresh": pair["refresh"]}, format="json")
    assert (left.status_code, left.json()) == (200, SIGNED_OUT)
    assert refused(pair)


def check_http_only():
    api_settings.JWT_AUTH_HTTPONLY = True
    browser, pair = sign_in()
    assert not pair["refresh"]

    answer = browser.post("/auth/token/refresh/", {}, format="json").json()
    assert set(answer) == {"access", "access_expiration"}
    refresh_token = browser.cookies["site-refresh"].value
    left = browser.post("/auth/logout/", {}, format="json")

    assert (left.status_code, left.json()) == (200, SIGNED_OUT)
    assert refused({"access": answer["access"], "refresh": refresh_token})
    api_settings.JWT_AUTH_HTTPONLY = False


def check_access_token_alone():
    _browser, pair = sign_in()

    left = app(pair["access"]).post("/auth/logout/", {}, format="json")

    assert (left.status_code, left.json()) == (200, SIGNED_OUT)
    assert refused(pair)


def check_invalid():
    for body in ({}, [], {"refresh": "x"}, {"refresh": 5}, {"refresh": ["x"]}, {"refresh": {}}):
        left = APIClient().post("/auth/logout/", body, format="json")
        assert left.status_code == 401, (body, left.status_code)
        assert set(left.json()) == {"detail"}
        answer = APIClient().post("/auth/token/refresh/", body, format="json")
        assert answer.status_code in {400, 401}, (body, answer.status_code)


def session_of(pair):
    from token_blacklist.tokens import RefreshToken

    return RefreshToken(pair["refresh"]).session_id


def main():
    create_user()
    if before:
        assert problems() == ["E031", *["E032"] * 3, "E033"], problems()
        return
    assert problems() == []
    for line in (AUTHENTICATION, CLAIMS, URLS, "SIMPLE_JWT = TOKEN_BLACKLIST"):
        assert line in " ".join(documented("dj-rest-auth")), line
    check_cookies()
    check_bodies()
    check_http_only()
    check_access_token_alone()
    check_invalid()
    assert BlacklistedToken.objects.filter(reason="logout").count() == 4


if __name__ == "__main__":
    main()
