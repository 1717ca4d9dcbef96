"""The comparison in docs/adopting.md: generating it again gives the same table."""

import os
import re

import pytest

from tests.support import comparison as page

pytestmark = [pytest.mark.process, pytest.mark.postgresql, pytest.mark.elsewhere]


@pytest.mark.django_db(transaction=True)
def test_the_comparison_table_matches_the_behavior_of_both_packages():
    made = page.comparison(os.environ["DATABASE_URL"])
    text = page.PAGE.read_text(encoding="utf-8")

    (written,) = re.findall(r"<!-- comparison -->\n(.*?)\n<!-- /comparison -->", text, re.DOTALL)
    assert made == written
