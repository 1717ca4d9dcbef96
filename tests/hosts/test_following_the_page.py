"""docs/adopting.md, followed literally by a site with Simple JWT: every line is from the page."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.adoption import renamed
from tests.support.checkout import ROOT, bare_environment

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

PAGE = (ROOT / "docs" / "adopting.md").read_text(encoding="utf-8")
SHOP = ROOT / "tests" / "projects" / "adoption" / "shop"
# The tests of the shop that the page says have to change.
CHANGED = {"test_an_old_refresh_token_is_refused", "test_a_second_logout_is_400"}


@pytest.fixture
def site(tmp_path):
    """A folder with the site as it was before."""
    shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def python(site, *arguments, given=""):
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=site,
        env=bare_environment(
            DJANGO_SETTINGS_MODULE="shop.settings",
            SECRET_KEY="only-for-the-tests-" * 4,
            SITE_FILE=str(site / "site.sqlite3"),
            PYTHONPATH=os.pathsep.join([str(site), str(ROOT)]),
        ),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def manage(site, *arguments):
    done = python(site, "-m", "django", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def failures(site):
    """Run the site's own tests and return the names of those that fail."""
    done = python(site, "-m", "django", "test", "shop", "--verbosity=0")
    assert re.search(r"(?m)^Ran 10 tests", done.stderr), done.stderr
    return set(re.findall(r"(?m)^(?:FAIL|ERROR): (\w+)", done.stderr))


def ask(site, program, **given):
    """Run a program with a client of the site and the values in `given`; return what it prints."""
    head = (
        "import json, sys, django; django.setup()\n"
        "from rest_framework.test import APIClient\n"
        "api, given = APIClient(), json.load(sys.stdin)\n"
        "def post(path, **body): return api.post(f'/api/{path}/', body, format='json')\n"
    )
    done = python(site, "-c", head + program, given=json.dumps(given))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def follow(site):
    """Change the settings and the names as the page says."""
    settings = site / "shop" / "settings.py"
    (diff,) = re.findall(r"(?ms)^ +```diff\n(.*?)^ +```$", PAGE)
    lines = re.sub(r"(?m)^ {3}", "", diff)
    text = settings.read_text(encoding="utf-8")
    for hunk in re.findall(r"(?m)((?:^-.*\n)+)((?:^\+.*\n)*)", lines):
        old, new = (re.sub(r"(?m)^[-+]", "", part) for part in hunk)
        assert text.count(old) == 1, f"{old} is {text.count(old)} times in the settings"
        text = text.replace(old, new)
    # Of its options, the one with another default that this site needs: its tokens live 90 days.
    text = text.replace("TOKEN_BLACKLIST = {", 'TOKEN_BLACKLIST = {\n    "SESSION_LIFETIME": None,')
    settings.write_text(text, encoding="utf-8")
    for path in (site / "shop").glob("*.py"):
        path.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")


SIGN_IN = """
from datetime import timedelta
from rest_framework_simplejwt.tokens import RefreshToken
from django.contrib.auth.models import User
pairs = {}
for name in ("ada", "grace", "alan"):
    User.objects.create_user(name, password="a long password")
    pairs[name] = post("token", username=name, password="a long password").json()
api.credentials(HTTP_AUTHORIZATION=f"Bearer {pairs['alan']['access']}")
assert post("logout", refresh=pairs["alan"]["refresh"]).status_code == 205
# Grace signed in two months ago, which her tokens survive.
token = RefreshToken(pairs["grace"]["refresh"])
token.set_iat(at_time=token.current_time - timedelta(days=60))
pairs["grace"]["refresh"] = str(token)
print(json.dumps(pairs))
"""
RETURN = """
said = {name: post("token/refresh", refresh=pair["refresh"]).status_code
        for name, pair in given.items()}
api.credentials(HTTP_AUTHORIZATION=f"Bearer {given['ada']['access']}")
said["access"] = api.get("/api/profile/").status_code
print(json.dumps(said))
"""


def test_the_sites_own_tests_pass_but_for_the_two_that_the_page_names(site):
    assert failures(site) == set()

    follow(site)

    assert failures(site) == CHANGED


def test_no_name_of_simple_jwt_is_left_and_the_check_has_nothing_to_say(site):
    follow(site)

    code = "".join(path.read_text(encoding="utf-8") for path in site.glob("shop/*.py"))
    assert "simplejwt" not in code.lower()
    assert manage(site, "check") == "System check identified no issues (0 silenced).\n"


def test_nobody_is_signed_out_and_tokens_that_were_signed_out_stay_refused(site):
    manage(site, "migrate", "--verbosity=0")
    held = ask(site, SIGN_IN)

    follow(site)
    manage(site, "migrate", "--verbosity=0")

    assert ask(site, RETURN, **held) == {"ada": 200, "grace": 200, "alan": 401, "access": 200}


STATELESS = """
from django.contrib.auth.models import User
User.objects.create_user("ada", password="a long password")
print(json.dumps(post("token", username="ada", password="a long password").json()))
"""
REFRESH = """
print(json.dumps(post("token/refresh", refresh=given["refresh"]).status_code))
"""


@pytest.mark.parametrize(("requires", "status"), [(True, 401), (False, 200)])
def test_tokens_of_a_site_without_the_list_are_accepted_if_none_is_required(site, requires, status):
    settings = site / "shop" / "settings.py"
    text = settings.read_text(encoding="utf-8")
    listed = '    "rest_framework_simplejwt.token_blacklist",\n'
    settings.write_text(text.replace(listed, ""), encoding="utf-8")
    manage(site, "migrate", "--verbosity=0")
    held = ask(site, STATELESS)

    settings.write_text(text, encoding="utf-8")
    follow(site)
    text = settings.read_text(encoding="utf-8")
    option = f'TOKEN_BLACKLIST = {{\n    "REQUIRE_OUTSTANDING": {requires},'
    settings.write_text(text.replace("TOKEN_BLACKLIST = {", option), encoding="utf-8")
    manage(site, "migrate", "--verbosity=0")

    assert ask(site, REFRESH, refresh=held["refresh"]) == status
