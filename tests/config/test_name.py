"""Only SITE_NAME names the product, wherever visitors, users or staff see a name."""

import re
import sys

import pytest

from config import product
from tests.support.checkout import run

pytestmark = pytest.mark.process

NAME = "Quince and Sons"
# Django would derive the last one from the label of the app.
OTHER_NAMES = re.compile(rf"(?i:token blacklist|{re.escape(product.SITE_NAME)})|Token_Blacklist")


@pytest.fixture
def seen(database):
    done = run(sys.executable, "-m", "tests.support.visit", SITE_NAME=NAME, DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_pages_emails_the_api_and_the_terminal_have_the_name_and_no_other(seen):
    places = seen.split("\n--- ")
    emails = re.findall(r"(?m)^Subject: (.+)", seen)

    assert [seen[at.start() - 80 : at.end() + 80] for at in OTHER_NAMES.finditer(seen)] == []
    assert [text.partition("\n")[0] for text in places[1:] if NAME not in text] == []
    assert len(emails) == 5
    assert all(subject.startswith(f"{NAME}: ") for subject in emails)
