"""The token classes without `token_blacklist` in INSTALLED_APPS, in a separate process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SITE = """
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-this-test-" * 4,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="token_blacklist.urls",
    USE_TZ=True,
    ALLOWED_HOSTS=["*"],
    TOKEN_BLACKLIST={"JTI_CLAIM": "jti"},
)
django.setup()

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from rest_framework.test import APIClient

call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from token_blacklist.sessions import end
from token_blacklist.tokens import AccessToken, RefreshToken, SlidingToken

user = User.objects.create_user("ada", password="lovelace")
assert not [t for t in connection.introspection.table_names() if "blacklist" in t]

# The classes sign and verify, with no record and no session.
refresh = RefreshToken.for_user(user)
assert "sid" not in refresh
assert RefreshToken(str(refresh))["jti"] == refresh["jti"]
assert AccessToken(str(refresh.access_token))["user_id"] == str(user.pk)
assert SlidingToken(str(SlidingToken.for_user(user)))
try:
    refresh.blacklist()
except ImproperlyConfigured as error:
    assert "INSTALLED_APPS" in str(error)
else:
    raise AssertionError("a token was blacklisted without a blacklist")

assert end.revoke_user(user, reason="api") == 0

# So do the endpoints; there is nothing to blacklist with, and so no such endpoint.
api = APIClient()
def post(path, data):
    return api.post(path, data, format="json")
pair = post("/token/", {"username": "ada", "password": "lovelace"}).json()
again = post("/token/refresh/", {"refresh": pair["refresh"]})
assert again.status_code == 200 and again.json()["refresh"] != pair["refresh"]
assert post("/token/verify/", {"token": again.json()["access"]}).status_code == 200
sliding = post("/token/sliding/", {"username": "ada", "password": "lovelace"}).json()
assert post("/token/sliding/refresh/", sliding).status_code == 200
assert post("/token/blacklist/", pair).status_code == 404
user.is_active = False
user.save()
assert post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
user.delete()
assert post("/token/verify/", {"token": pair["access"]}).status_code == 401
call_command("check", fail_level="WARNING")
print("signed and verified without lists")
"""


def test_without_the_app_tokens_sign_and_verify_without_lists():
    root = Path(__file__).parents[2]
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SITE],
        cwd=root,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    assert "signed and verified without lists" in run.stdout
