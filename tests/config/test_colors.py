"""The accent color. Its contrast is tested in tests/e2e/test_for_everybody.py."""

import pytest
from django.test import override_settings


@override_settings(ACCENT_COLOR="#0b7a3b")
def test_the_theme_stylesheet_has_the_accent_color_and_is_cacheable(client):
    answer = client.get("/theme.css")

    assert answer.headers["Content-Type"] == "text/css"
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert "from #0b7a3b" in answer.text


@pytest.mark.parametrize("path", ["/account/", "/admin/"])
@override_settings(ACCENT_COLOR="#0b7a3b")
def test_pages_and_the_admin_use_the_same_theme_stylesheet(admin_client, path):
    assert 'href="/theme.css?0b7a3b" ' in admin_client.get(path).text.replace(">", " ")
