"""Static files outside DEBUG: named by their content, so that a browser may keep them for ever."""

import json
import re

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder that `collectstatic` fills."""
    folder = tmp_path_factory.mktemp("static")
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "config.static.HashedFiles"}}
    with override_settings(STATIC_ROOT=folder, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield folder


@pytest.mark.django_db
def test_every_page_asks_for_files_that_are_there_under_names_of_their_content(client, collected):
    for path in ("/", "/login/", "/signup/", "/password/reset/", "/nothing/"):
        named = re.findall(r'"/static/([^"]+)"', client.get(path, HTTP_ACCEPT="text/html").text)

        assert named
        for name in named:
            assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", name), name
            assert (collected / name).exists()


def test_a_module_imports_the_others_by_those_names(collected):
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    for name in ("site", "forms", "account"):
        source = (collected / manifest[f"js/{name}.js"]).read_text()
        imported = re.findall(r'from "\./([^"]+)"', source)

        assert imported
        assert all(f"js/{module}" in manifest.values() for module in imported), imported


def test_a_file_that_is_missing_is_found_out_when_they_are_collected(collected):
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        staticfiles_storage.url("js/no-such.js")
