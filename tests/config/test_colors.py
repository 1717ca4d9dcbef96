"""The accent color. Its contrast is tested in tests/e2e/test_for_everybody.py."""

import pytest
from django.test import override_settings

COLORED = {
    "/theme.css": ("text/css", "from #0b7a3b"),
    "/icon.svg": ("image/svg+xml", 'fill="#0b7a3b"'),
}


@pytest.mark.parametrize("path", COLORED)
@override_settings(ACCENT_COLOR="#0b7a3b")
def test_the_theme_and_the_icon_have_the_accent_color_and_are_cacheable(client, path):
    answer = client.get(path)

    kind, color = COLORED[path]
    assert answer.headers["Content-Type"] == kind
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert color in answer.text
