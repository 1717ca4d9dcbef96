"""`check` names the parts of a site that still use Simple JWT."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
from django.urls import include, path
from rest_framework.views import APIView

from tests.support.checkout import ROOT, bare_environment
from token_blacklist import adoption
from token_blacklist.authentication import JWTAuthentication
from token_blacklist.urls import urlpatterns as ours


def theirs(name, base=object, module="rest_framework_simplejwt.authentication"):
    """Return a class that looks like one of Simple JWT, which the tests cannot import."""
    return type(name, (base,), {"__module__": module})


TheirAuthentication = theirs("TheirAuthentication")
TheirView = theirs("TokenObtainPairView", APIView, "rest_framework_simplejwt.views")
TheirSerializer = theirs("TokenRefreshSerializer", module="rest_framework_simplejwt.serializers")


class Derived(TheirAuthentication):
    """A class of the site."""


class DerivedView(TheirView):
    """A view of the site."""


class WithSerializer(APIView):
    serializer_class = TheirSerializer


class WithAuthentication(APIView):
    authentication_classes = [Derived]


class Clean(APIView):
    authentication_classes = [JWTAuthentication]


def routes(*views):
    module = ModuleType("routes")
    inner = [path(f"{view.__name__}/", view.as_view()) for view in views]
    module.urlpatterns = [path("api/", include(inner)), path("token/", include(ours))]
    return module


def ids(found):
    assert all(message.hint for message in found)
    return [message.id.removeprefix("token_blacklist.") for message in found]


def test_the_project_passes():
    assert adoption.check_settings() == adoption.check_views() == []


def test_options_under_the_name_of_simple_jwt_are_an_error(settings):
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "uuid"}
    assert ids(adoption.check_settings()) == []

    del settings.TOKEN_BLACKLIST
    assert ids(adoption.check_settings()) == ["E030"]

    settings.SIMPLE_JWT = {}
    assert ids(adoption.check_settings()) == []


@pytest.mark.parametrize("used", [TheirAuthentication, Derived])
def test_an_authentication_class_of_simple_jwt_is_an_error(settings, used):
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.{used.__name__}"],
    }

    (error,) = adoption.check_settings()

    assert error.id == "token_blacklist.E031"
    assert used.__name__ in error.msg
    assert "token_blacklist" in error.hint


@pytest.mark.parametrize("view", [TheirView, DerivedView, WithSerializer, WithAuthentication])
def test_a_view_with_a_class_of_simple_jwt_is_an_error(settings, view):
    settings.ROOT_URLCONF = routes(view, Clean)

    (error,) = adoption.check_views()

    assert error.id == "token_blacklist.E032"
    assert f"api/{view.__name__}/" in error.msg


def test_dj_rest_auths_sign_out_and_sign_in_are_errors(settings, monkeypatch):
    claims = SimpleNamespace(JWT_TOKEN_CLAIMS_SERIALIZER=TheirSerializer)
    app_settings = ModuleType("dj_rest_auth.app_settings")
    app_settings.api_settings = claims
    monkeypatch.setitem(sys.modules, "dj_rest_auth", ModuleType("dj_rest_auth"))
    monkeypatch.setitem(sys.modules, "dj_rest_auth.app_settings", app_settings)
    monkeypatch.setattr(adoption.apps, "is_installed", lambda name: name == "dj_rest_auth")
    settings.ROOT_URLCONF = routes(theirs("LogoutView", APIView, "dj_rest_auth.views"))
    assert ids(adoption.check_settings()) == ids(adoption.check_views()) == []

    settings.REST_AUTH = {"USE_JWT": True}

    assert ids(adoption.check_settings()) == ["E033"]
    (error,) = adoption.check_views()
    assert "include('token_blacklist.rest_auth.urls')" in error.hint


def test_djosers_sign_in_by_other_sites_is_an_error(settings):
    settings.ROOT_URLCONF = routes(theirs("ProviderAuthView", APIView, "djoser.social.views"))
    (error,) = adoption.check_views()
    assert "SOCIAL_AUTH_TOKEN_STRATEGY" in error.hint

    settings.DJOSER = {"SOCIAL_AUTH_TOKEN_STRATEGY": "site.tokens.TokenStrategy"}
    assert adoption.check_views() == []


INSTALL = """
import django
from django.conf import settings
from django.core.checks import run_checks
settings.configure(
    SECRET_KEY="only-for-the-tests-" * 4,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", *{apps}],
)
django.setup()
print([message.id for message in run_checks()])
"""


def installed(*apps):
    return subprocess.run(
        [sys.executable, "-c", INSTALL.format(apps=apps)],
        env=bare_environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize("order", [1, -1])
def test_simple_jwts_app_beside_this_one_is_refused_with_what_to_do(order):
    apps = ["token_blacklist", "rest_framework_simplejwt.token_blacklist"][::order]

    done = installed(*apps)

    assert done.returncode == 1
    assert (
        "ImproperlyConfigured: Remove 'rest_framework_simplejwt.token_blacklist' from "
        "INSTALLED_APPS." in done.stderr
    )


@pytest.mark.process
def test_the_translations_of_simple_jwt_are_a_warning():
    done = installed("token_blacklist", "rest_framework_simplejwt")

    assert "token_blacklist.W030" in done.stdout, done.stderr
