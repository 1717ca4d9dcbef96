"""The comparison in docs/adopting.md is what happens: made anew, it is the same."""

import os
import re

import pytest

from tests.support import comparison as page

pytestmark = [pytest.mark.process, pytest.mark.postgresql]


@pytest.mark.django_db(transaction=True)
def test_the_table_is_what_both_do():
    made = page.comparison(os.environ["DATABASE_URL"])
    text = page.PAGE.read_text(encoding="utf-8")

    (written,) = re.findall(r"<!-- comparison -->\n(.*?)\n<!-- /comparison -->", text, re.DOTALL)
    assert made == written
