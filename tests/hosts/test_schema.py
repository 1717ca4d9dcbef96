"""Sites that describe their API with drf-spectacular, with its default settings."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

URLS = """
from django.urls import include, path
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from APP.authentication import JWTAuthentication, JWTStatelessUserAuthentication
from APP.services.authentication import FeedAuthentication
from APP.serializers import TokenObtainPairSerializer


class Own(JWTAuthentication):
    pass


class TextSerializer(serializers.Serializer):
    text = serializers.CharField()


class TextView(GenericAPIView):
    authentication_classes = [JWTAuthentication]
    serializer_class = TextSerializer

    def get(self, request):
        return Response({"text": ""})


class OtherView(TextView):
    authentication_classes = [OTHER]


urlpatterns = [
    path("one/", TextView.as_view()),
    path("other/", OtherView.as_view()),
    path("MOUNT", include("APP.urls")),
    path(".well-known/", include("APP.well_known")),
]
"""
SCHEMA = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}


def described(new, **given):
    urls = URLS.replace("OTHER", given.pop("other", "JWTAuthentication"))
    urls = urls.replace("MOUNT", given.pop("mount", "api/"))
    host = new(
        urls=urls,
        apps=("drf_spectacular",),
        migrate=False,
        REST_FRAMEWORK=SCHEMA | given.pop("drf", {}),
        **given,
    )
    return host.manage("spectacular", "--validate", "--fail-on-warn", "--format=openapi-json")


@pytest.mark.parametrize(
    "other",
    ["JWTStatelessUserAuthentication", "FeedAuthentication, Own"],
)
def test_the_description_is_valid_with_any_of_the_authentications(new, other):
    done = described(new, other=other)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "spectacular",
    [
        {"COMPONENT_SPLIT_PATCH": False, "OAS_VERSION": "3.1.0"},
        {"COMPONENT_SPLIT_REQUEST": True, "COMPONENT_NO_READ_ONLY_REQUIRED": True},
    ],
)
def test_the_description_is_valid_with_the_settings_of_a_site(new, spectacular):
    done = described(new, SPECTACULAR_SETTINGS=spectacular)

    assert done.returncode == 0, done.stderr


def test_the_description_is_valid_below_a_version(new):
    versioning = {
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.URLPathVersioning",
        "ALLOWED_VERSIONS": ["v1"],
        "DEFAULT_VERSION": "v1",
    }

    done = described(new, mount="api/<str:version>/", drf=versioning)

    assert done.returncode == 0, done.stderr
    assert "token_refresh" in done.stdout


def test_the_description_is_valid_without_the_lists(new):
    done = described(
        new,
        drf={"DEFAULT_SCHEMA_CLASS": "token_blacklist.schema.AutoSchema"},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "drf_spectacular",
        ],
    )

    assert done.returncode == 0, done.stderr
