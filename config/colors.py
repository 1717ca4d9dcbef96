"""The accent colour of the pages and the admin, in shades that can be read.

ACCENT_COLOR may be any colour. Where it has too little contrast as text or behind text, the pages
use the nearest shade that has enough (WCAG 2.2 section 1.4.3). Without this module, a product with
a light yellow or a dark blue would have unreadable links: tests/config/test_colors.py tries any
colour, and axe looks at the pages in three of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

READABLE = 4.5  # the contrast of text, WCAG level AA
STEPS = 50  # from the colour itself to black or white
# What the colour is seen on, of site.css: the ground and the cards, in the light and the dark.
LIGHT = ("#ffffff", "#f4f6fb")
DARK = ("#12141b", "#1c202b")


class Color(NamedTuple):
    """Red, green and blue, 0 to 255."""

    red: float
    green: float
    blue: float

    @classmethod
    def of(cls, text: str) -> Color:
        """Read "#3b5bdb".

        Raises:
            ValueError: it is not written like that.
        """
        if not re.fullmatch("#[0-9a-fA-F]{6}", text):
            raise ValueError(text)
        return cls(*bytes.fromhex(text[1:]))

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part):02x}" for part in self)

    @property
    def luminance(self) -> float:
        linear = [
            part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
            for part in self
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(self, other: Color) -> float:
        low, high = sorted((self.luminance, other.luminance))
        return (high + 0.05) / (low + 0.05)

    def towards(self, other: Color, share: float) -> Color:
        pairs = zip(self, other, strict=True)
        return Color(*(round(mine + (its - mine) * share) for mine, its in pairs))


BLACK, WHITE = Color.of("#000000"), Color.of("#ffffff")


def readable(colour: Color, grounds: tuple[str, ...]) -> Color:
    """Return the shade nearest to the colour that can be read on all of the grounds."""
    seen_on = [Color.of(ground) for ground in grounds]
    end = max(BLACK, WHITE, key=seen_on[0].contrast)
    for step in range(STEPS):
        shade = colour.towards(end, step / STEPS)
        if all(shade.contrast(ground) >= READABLE for ground in seen_on):
            return shade
    return end


def _properties(colour: Color, grounds: tuple[str, ...]) -> str:
    accent = readable(colour, grounds)
    ink = max(BLACK, WHITE, key=accent.contrast)
    return f":root{{--accent:{accent};--on-accent:{ink}}}"


@cache_control(public=True, max_age=24 * 3600)  # its address changes with the colour
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the stylesheet with the colour, because the policy blocks inline styles."""
    colour = Color.of(settings.ACCENT_COLOR)
    dark = f"@media (prefers-color-scheme:dark){{{_properties(colour, DARK)}}}"
    return HttpResponse(_properties(colour, LIGHT) + dark, content_type="text/css")


def shades(request: HttpRequest) -> dict[str, str]:
    """Return the colour from light to dark, as the admin's theme numbers its shades."""
    colour = Color.of(settings.ACCENT_COLOR)
    light = {50: 0.94, 100: 0.88, 200: 0.74, 300: 0.56, 400: 0.3}
    dark = {700: 0.2, 800: 0.4, 900: 0.55, 950: 0.72}
    # The theme writes white on its 600, and its 500 on the dark ground.
    shown = readable(colour, LIGHT)
    lit = readable(colour, DARK)
    return (
        {str(step): str(colour.towards(WHITE, share)) for step, share in light.items()}
        | {"500": str(lit), "600": str(shown)}
        | {str(step): str(shown.towards(BLACK, share)) for step, share in dark.items()}
    )
