"""A site that calls Simple JWT in the way of dj-rest-auth: tokens in cookies and in the answer."""

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
from django.utils import timezone  # noqa: E402
from rest_framework import exceptions, serializers, status  # noqa: E402
from rest_framework.authentication import CSRFCheck  # noqa: E402
from rest_framework.permissions import AllowAny, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import JWTAuthentication  # noqa: E402
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError  # noqa: E402
from rest_framework_simplejwt.serializers import (  # noqa: E402
    TokenObtainPairSerializer,
    TokenRefreshSerializer,
)
from rest_framework_simplejwt.settings import api_settings as jwt_settings  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenRefreshView, TokenVerifyView  # noqa: E402

ACCESS_COOKIE, REFRESH_COOKIE = "site-auth", "site-refresh"


class ClaimsSerializer(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["name"] = user.get_username()
        return token


class CookieAuthentication(JWTAuthentication):
    def enforce_csrf(self, request):
        check = CSRFCheck(lambda request: None)
        check.process_request(request)
        reason = check.process_view(request, None, (), {})
        if reason:
            raise exceptions.PermissionDenied(f"CSRF Failed: {reason}")

    def authenticate(self, request):
        header = self.get_header(request)
        if header is not None:
            raw_token = self.get_raw_token(header)
        else:
            raw_token = request.COOKIES.get(ACCESS_COOKIE)
            if raw_token is not None:
                self.enforce_csrf(request)
        if raw_token is None:
            return None
        validated_token = self.get_validated_token(raw_token)
        return self.get_user(validated_token), validated_token


def set_cookie(response, name, value, lifetime):
    expires = timezone.now() + lifetime
    response.set_cookie(name, value, expires=expires, httponly=True, samesite="Lax")
    return expires


class SignIn(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request):
        user = authenticate(request, **request.data)
        if user is None:
            raise exceptions.ValidationError("Unable to log in with provided credentials.")
        refresh = ClaimsSerializer.get_token(user)
        access = refresh.access_token
        response = Response({"access": str(access), "refresh": str(refresh)})
        set_cookie(response, ACCESS_COOKIE, access, jwt_settings.ACCESS_TOKEN_LIFETIME)
        set_cookie(response, REFRESH_COOKIE, refresh, jwt_settings.REFRESH_TOKEN_LIFETIME)
        return response


class CookieRefreshSerializer(TokenRefreshSerializer):
    refresh = serializers.CharField(required=False, help_text="Uses the cookie if it is absent.")

    def extract_refresh_token(self):
        request = self.context["request"]
        if request.data.get("refresh"):
            return request.data["refresh"]
        if request.COOKIES.get(REFRESH_COOKIE):
            return request.COOKIES[REFRESH_COOKIE]
        raise InvalidToken("No valid refresh token found.")

    def validate(self, attrs):
        attrs["refresh"] = self.extract_refresh_token()
        return super().validate(attrs)


class Refresh(TokenRefreshView):
    serializer_class = CookieRefreshSerializer

    def finalize_response(self, request, response, *args, **kwargs):
        if response.status_code == status.HTTP_200_OK and "access" in response.data:
            response.data["access_expiration"] = set_cookie(
                response,
                ACCESS_COOKIE,
                response.data["access"],
                jwt_settings.ACCESS_TOKEN_LIFETIME,
            )
        if response.status_code == status.HTTP_200_OK and "refresh" in response.data:
            lifetime = jwt_settings.REFRESH_TOKEN_LIFETIME
            set_cookie(response, REFRESH_COOKIE, response.data["refresh"], lifetime)
        return super().finalize_response(request, response, *args, **kwargs)


class SignOut(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request):
        response = Response({"detail": "Successfully logged out."})
        response.delete_cookie(ACCESS_COOKIE)
        response.delete_cookie(REFRESH_COOKIE)
        try:
            token = RefreshToken(request.COOKIES.get(REFRESH_COOKIE) or request.data["refresh"])
            token.blacklist()
        except KeyError:
            response.data = {"detail": "Refresh token was not included in request data."}
            response.status_code = status.HTTP_401_UNAUTHORIZED
        except (TokenError, AttributeError, TypeError) as error:
            response.data = {"detail": str(error.args[0])}
            response.status_code = status.HTTP_401_UNAUTHORIZED
        return response


class Me(APIView):
    authentication_classes = (CookieAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"id": request.user.pk, "name": request.auth["name"]})


urlpatterns = [
    path("login/", SignIn.as_view()),
    path("logout/", SignOut.as_view()),
    path("token/verify/", TokenVerifyView.as_view()),
    path("token/refresh/", Refresh.as_view()),
    path("me/", Me.as_view()),
]


def main():
    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", password="a long password")
    credentials = {"username": "ada", "password": "a long password"}
    browser = APIClient()
    pair = browser.post("/login/", credentials, format="json").json()
    assert browser.get("/me/").json() == {"id": ada.pk, "name": "ada"}
    assert browser.post("/token/verify/", {"token": pair["access"]}, format="json").json() == {}

    answer = browser.post("/token/refresh/", {}, format="json")
    assert answer.status_code == 200, answer.json()
    assert {"access", "refresh", "access_expiration"} == set(answer.json())
    assert browser.cookies[REFRESH_COOKIE].value == answer.json()["refresh"] != pair["refresh"]
    assert browser.get("/me/").json() == {"id": ada.pk, "name": "ada"}

    app = APIClient()
    latest = answer.json()["refresh"]
    answer = app.post("/token/refresh/", {"refresh": latest}, format="json")
    assert answer.status_code == 200, answer.json()
    app.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert app.get("/me/").json() == {"id": ada.pk, "name": "ada"}

    assert APIClient().post("/token/refresh/", {}, format="json").status_code == 401
    assert APIClient().post("/logout/", {}, format="json").status_code == 401
    latest = {"refresh": answer.json()["refresh"]}
    assert APIClient().post("/logout/", latest, format="json").status_code == 200
    assert APIClient().post("/logout/", latest, format="json").status_code == 401
    assert APIClient().post("/token/refresh/", latest, format="json").status_code == 401


if __name__ == "__main__":
    main()
