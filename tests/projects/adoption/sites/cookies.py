"""A site whose browsers keep both tokens in cookies, as many blog posts describe it."""

from contextlib import suppress

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-the-tests-" * 4,
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
)
django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import AllowAny, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import JWTAuthentication  # noqa: E402
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError  # noqa: E402
from rest_framework_simplejwt.serializers import TokenRefreshSerializer  # noqa: E402
from rest_framework_simplejwt.settings import api_settings  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenRefreshView  # noqa: E402


class CookieAuthentication(JWTAuthentication):
    def authenticate(self, request):
        header = self.get_header(request)
        raw_token = request.COOKIES.get("access") if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        validated_token = self.get_validated_token(raw_token)
        return self.get_user(validated_token), validated_token


def set_cookies(response, access, refresh):
    for name, value, lifetime in (
        ("access", access, api_settings.ACCESS_TOKEN_LIFETIME),
        ("refresh", refresh, api_settings.REFRESH_TOKEN_LIFETIME),
    ):
        response.set_cookie(name, value, max_age=lifetime, httponly=True, samesite="Lax")
    return response


class SignIn(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request):
        user = authenticate(request, **request.data)
        if user is None:
            return Response({"detail": "Wrong."}, status=400)
        refresh = RefreshToken.for_user(user)
        refresh["name"] = user.get_username()
        return set_cookies(Response({}), str(refresh.access_token), str(refresh))


class CookieRefreshSerializer(TokenRefreshSerializer):
    refresh = None

    def validate(self, attrs):
        attrs["refresh"] = self.context["request"].COOKIES.get("refresh")
        if not attrs["refresh"]:
            raise InvalidToken("No refresh token in the cookies.")
        return super().validate(attrs)


class Refresh(TokenRefreshView):
    serializer_class = CookieRefreshSerializer

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        return set_cookies(Response({}), response.data["access"], response.data["refresh"])


class SignOut(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request):
        response = Response({})
        response.delete_cookie("access")
        response.delete_cookie("refresh")
        with suppress(KeyError, TokenError):
            RefreshToken(request.COOKIES["refresh"]).blacklist()
        return response


class Me(APIView):
    authentication_classes = (CookieAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"id": request.user.pk, "name": request.auth["name"]})


urlpatterns = [
    path("sign-in/", SignIn.as_view()),
    path("refresh/", Refresh.as_view()),
    path("sign-out/", SignOut.as_view()),
    path("me/", Me.as_view()),
]


def main():
    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", password="a long password")
    credentials = {"username": "ada", "password": "a long password"}
    wrong = {"username": "ada", "password": "another password"}
    browser = APIClient()
    assert browser.get("/me/").status_code == 401
    assert browser.post("/refresh/").status_code == 401
    assert browser.post("/sign-in/", wrong, format="json").status_code == 400
    assert browser.post("/sign-in/", credentials, format="json").status_code == 200
    assert browser.get("/me/").json() == {"id": ada.pk, "name": "ada"}
    first = browser.cookies["refresh"].value
    assert browser.post("/refresh/").status_code == 200
    assert browser.cookies["refresh"].value != first
    assert browser.get("/me/").json() == {"id": ada.pk, "name": "ada"}
    other = APIClient(HTTP_AUTHORIZATION=f"Bearer {browser.cookies['access'].value}")
    assert other.get("/me/").status_code == 200

    latest = browser.cookies["refresh"].value
    assert browser.post("/sign-out/").status_code == 200
    assert browser.cookies["refresh"].value == browser.cookies["access"].value == ""
    attacker = APIClient()
    attacker.cookies["refresh"] = latest
    assert attacker.post("/refresh/").status_code == 401


if __name__ == "__main__":
    main()
