"""The accents among which a new product gets one."""

from __future__ import annotations

import colorsys
import json
import re

import pytest

from tests.support.checkout import ROOT

ACCENTS = json.loads(
    re.search(
        r"^accents:.*?default: '(\[.*?\])'", (ROOT / "copier.yml").read_text(), re.DOTALL | re.M
    )[1]
)
ERRORS = re.search(
    r"--bad: light-dark\((#\w{6}), (#\w{6})\)", (ROOT / "static/css/site.css").read_text()
).groups()


def hue(color):
    """Return the angle of the color on the color wheel: 0 is red, 30 orange, 60 yellow."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return colorsys.rgb_to_hls(red, green, blue)[0] * 360


@pytest.mark.parametrize("accent", ACCENTS)
def test_an_accent_is_neither_red_nor_orange_like_the_errors(accent):
    apart = [abs(hue(accent) - hue(error)) for error in ERRORS]

    assert min(min(angle, 360 - angle) for angle in apart) > 60
