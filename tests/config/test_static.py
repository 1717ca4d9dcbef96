"""Static files outside DEBUG have hashed names, so that browsers may cache them forever."""

import json
import re

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests.support.parts import only_with

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
def test_every_static_file_of_a_page_exists_under_a_hashed_name(client, collected):
    for path in (
        "/admin/login/",
        *only_with("pages", "/", "/login/", "/signup/", "/password/reset/"),
    ):
        page = client.get(path, follow=True, headers={"accept": "text/html"})
        named = re.findall(r'"/static/([^"]+)"', page.text)

        assert named
        for name in named:
            assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", name), name
            assert (collected / name).exists()


@pytest.mark.pages
def test_javascript_modules_import_each_other_by_hashed_names(collected):
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    for name in ("site", "forms", "account"):
        source = (collected / manifest[f"js/{name}.js"]).read_text()
        imported = re.findall(r'from "\./([^"]+)"', source)

        assert imported
        assert all(f"js/{module}" in manifest.values() for module in imported), imported
