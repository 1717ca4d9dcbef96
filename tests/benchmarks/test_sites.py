"""What each site of the benchmark is given: the same as the others, but for its package."""

from __future__ import annotations

import json

import pytest

from benchmarks.sites import ALONE, OURS, PEER, Files, Site, run_python

SITES = (OURS, ALONE, PEER)
CODE = """
import json
import django
django.setup()
from django.conf import settings
from django.urls import resolve
found = {name: getattr(settings, name) for name in ("DATABASES", "DEBUG", "MIDDLEWARE")}
view = resolve("/api/me/").func.view_class
print(json.dumps({**found, "view": f"{view.__module__}.{view.__qualname__}"}))
"""


class Somewhere(Files):
    """A PostgreSQL that nobody connects to."""

    def url_of(self, database: str) -> str:
        return f"postgres://user@localhost:1/{database}"


def given(kind: type[Files], site: Site, folder: str) -> dict[str, object]:
    return json.loads(run_python(site, kind(folder), "-c", CODE).splitlines()[-1])


@pytest.mark.process
@pytest.mark.parametrize("kind", [Files, Somewhere])
def test_all_sites_have_the_same_database_options_and_the_same_view(kind, tmp_path):
    found = [given(kind, site, str(tmp_path)) for site in SITES]
    options = [each["DATABASES"]["default"] for each in found]

    assert len({each.pop("NAME") for each in options}) == len(SITES)
    for name in ("ENGINE", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "OPTIONS"):
        assert len({repr(each.get(name)) for each in options}) == 1, name
    assert {each["view"] for each in found} == {"benchmarks.projects.view.MeView"}
    assert not any(each["DEBUG"] for each in found)


@pytest.mark.process
def test_the_app_alone_has_the_middleware_of_simple_jwt(tmp_path):
    alone, theirs = (given(Files, site, str(tmp_path))["MIDDLEWARE"] for site in (ALONE, PEER))

    assert alone == theirs


@pytest.mark.process
@pytest.mark.parametrize("site", SITES, ids=lambda site: site.title)
def test_no_site_takes_time_for_a_password(site, tmp_path):
    code = "from django.conf import settings; print(settings.PASSWORD_HASHERS)"
    printed = run_python(site, Files(str(tmp_path)), "-c", code)

    assert printed.splitlines()[-1] == "['django.contrib.auth.hashers.MD5PasswordHasher']"
