"""The product's name and colour."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.colors import BLACK, DARK, LIGHT, WHITE, Color, readable
from tests.support.checkout import ROOT

colours = st.builds(Color, *[st.integers(0, 255)] * 3)


@given(colours, st.sampled_from([LIGHT, DARK]))
def test_any_colour_can_be_read_on_any_ground_and_be_written_on(colour, grounds):
    accent = Color.of(str(readable(colour, grounds)))

    assert all(accent.contrast(Color.of(ground)) >= 4.5 for ground in grounds)
    assert max(accent.contrast(BLACK), accent.contrast(WHITE)) >= 4.5


@given(st.sampled_from(["#3b5bdb", "#0b7a3b", "#000000"]))
def test_a_colour_that_can_be_read_stays_as_it_is(text):
    assert str(readable(Color.of(text), LIGHT)) == text


def test_contrast_is_reckoned_as_wcag_does():
    assert BLACK.contrast(WHITE) == pytest.approx(21)
    assert Color.of("#777777").contrast(WHITE) == pytest.approx(4.48, abs=0.005)


def test_the_grounds_are_those_of_the_stylesheet():
    css = (ROOT / "static/css/site.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"--ground: (\S+);\s+--card: (\S+);", css)

    assert (light, dark) == (LIGHT, DARK)


def test_the_stylesheet_has_the_colour_and_may_be_kept(client, settings):
    settings.ACCENT_COLOR = "#0b7a3b"

    answer = client.get("/theme.css")

    assert answer.headers["Content-Type"] == "text/css"
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert answer.text.startswith(":root{--accent:#0b7a3b;--on-accent:#ffffff}")


@pytest.mark.parametrize("text", ["red", "#12", "3b5bdb", "#3b5bdb;}", "#ggg000", ""])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match="^" + re.escape(text)):
        Color.of(text)
