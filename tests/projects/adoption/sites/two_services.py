"""Two services: the first signs users in, the second reads their claims and has no users."""

import subprocess
import sys

import django
from django.conf import settings

IS_SECOND = "second" in sys.argv

settings.configure(
    SECRET_KEY="of one service alone " * 3,
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    DATABASES=(
        {}
        if IS_SECOND
        else {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    ),
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        *([] if IS_SECOND else ["rest_framework_simplejwt.token_blacklist"]),
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SIMPLE_JWT={
        "SIGNING_KEY": "shared by the two services " * 3,
        "AUDIENCE": "the-services",
        "ISSUER": "the-first-service",
        "TOKEN_USER_CLASS": f"{__name__}.Customer",
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAdminUser, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import (  # noqa: E402
    JWTStatelessUserAuthentication,
)
from rest_framework_simplejwt.models import TokenUser  # noqa: E402
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView  # noqa: E402


class Customer(TokenUser):
    @property
    def plan(self):
        return self.token.get("plan", "free")


class WithPlan(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user):
        token = super().get_token(user)
        token["username"], token["is_staff"] = user.get_username(), user.is_staff
        token["plan"] = "gold"
        return token


class SignIn(TokenObtainPairView):
    serializer_class = WithPlan


class Account(APIView):
    authentication_classes = (JWTStatelessUserAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        who = request.user
        return Response({"id": who.id, "name": who.username, "plan": who.plan})


class Staff(Account):
    permission_classes = (IsAdminUser,)


urlpatterns = [
    path("token/", SignIn.as_view()),
    path("account/", Account.as_view()),
    path("staff/", Staff.as_view()),
]


def first():
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="a long password", is_staff=True)
    credentials = {"username": "ada", "password": "a long password"}
    pair = APIClient().post("/token/", credentials, format="json").json()
    second = [sys.executable, __file__, "second"]
    subprocess.run(second, input=f"{pair['access']} {pair['refresh']}", text=True, check=True)


def second():
    access, refresh = sys.stdin.read().split()

    def get(address, token):
        return APIClient().get(address, HTTP_AUTHORIZATION=f"Bearer {token}")

    assert get("/account/", access).json() == {"id": "1", "name": "ada", "plan": "gold"}
    assert get("/staff/", access).status_code == 200
    assert get("/account/", refresh).status_code == 401
    assert get("/account/", access[:-4] + "aaaa").status_code == 401
    stranger = AccessToken()
    stranger["user_id"] = "2"
    assert get("/account/", stranger).json() == {"id": "2", "name": "", "plan": "free"}
    assert get("/staff/", stranger).status_code == 403
    del stranger["user_id"]
    assert get("/account/", stranger).status_code == 401


if __name__ == "__main__":
    second() if IS_SECOND else first()
