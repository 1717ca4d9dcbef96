"""`token_blacklist` has the names that code imports from Simple JWT."""

import importlib
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from rest_framework.test import APIRequestFactory

from tests.support.adoption import environment
from tests.support.checkout import ROOT
from tests.support.factories import PASSWORD
from token_blacklist.conf import OPTIONS
from token_blacklist.models import OutstandingToken
from token_blacklist.serializers import TokenObtainPairSerializer
from token_blacklist.tokens import AccessToken, RefreshToken
from token_blacklist.views import TokenObtainPairView

MODULES = ["authentication", "backends", "exceptions", "models", "serializers", "tokens", "views"]
# What is left out, and why.
LEFT_OUT = {
    "exceptions.DetailDictMixin": "an inner part of AuthenticationFailed",
}
SETTINGS_LEFT_OUT = {
    "CHECK_REVOKE_TOKEN": "a new password ends the sessions; no hash of it is in a token",
    "REVOKE_TOKEN_CLAIM": "as above",
    "JSON_ENCODER": "claims are what JSON has",
    "JWK_URL": "one key, from the environment",
}

LIST = """
import importlib, inspect, json, sys
names = {}
for module in sys.argv[1:]:
    found = importlib.import_module(f"rest_framework_simplejwt.{module}")
    names[module] = [n for n, v in vars(found).items() if n == "AuthUser"
                     or inspect.isclass(v) and v.__module__ == found.__name__]
from rest_framework_simplejwt.settings import DEFAULTS
print(json.dumps([names, sorted(DEFAULTS)]))
"""


@pytest.fixture(scope="module")
def theirs():
    import json

    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{LIST}", *MODULES],
        cwd=ROOT,
        env=environment("sqlite://:memory:", adopted=False),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.process
def test_every_public_name_of_simple_jwt_exists(theirs):
    names, _settings = theirs
    missing = {
        f"{module}.{name}"
        for module, found in names.items()
        for name in found
        if not hasattr(importlib.import_module(f"token_blacklist.{module}"), name)
    }

    assert sum(map(len, names.values())) > 30
    assert missing == set(LEFT_OUT)


@pytest.mark.process
def test_every_setting_of_simple_jwt_is_supported_or_listed_as_left_out(theirs):
    _names, settings = theirs

    assert set(settings) - set(OPTIONS) == set(SETTINGS_LEFT_OUT)


def test_the_page_lists_every_option_of_simple_jwt_with_another_default():
    from rest_framework_simplejwt.settings import DEFAULTS

    page = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
    section = page.partition("## Defaults that differ")[2].partition("\n## ")[0]
    values = {name: v for name, v in DEFAULTS.items() if isinstance(v, bool | int | timedelta)}

    differ = {
        n
        for n in values.keys() & OPTIONS.keys()
        if OPTIONS[n].value_in(values) != OPTIONS[n].value_in({})
    }

    assert len(values) > 9
    assert set(re.findall(r"(?m)^\| `(\w+)`", section)) == differ | {"SESSION_LIFETIME"}


def test_claims_are_added_as_in_simple_jwts_manual(user):
    class WithName(TokenObtainPairSerializer):
        @classmethod
        def get_token(cls, user):
            token = super().get_token(user)
            token["name"] = user.name
            return token

    class View(TokenObtainPairView):
        serializer_class = WithName

    user.name = "Ada"
    user.save()
    credentials = {"email": user.email, "password": PASSWORD}
    request = APIRequestFactory().post("/", credentials, format="json", REMOTE_ADDR="192.0.2.9")

    pair = View.as_view()(request).data

    assert RefreshToken(pair["refresh"])["name"] == "Ada"
    assert AccessToken(pair["access"])["name"] == "Ada"
    assert OutstandingToken.objects.get().ip_address == "192.0.2.9"
