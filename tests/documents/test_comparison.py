"""The tables of docs/comparison.md, written by `make compare`, are complete and current."""

import re

import pytest

from benchmarks.compare.__main__ import PAGE, locked
from benchmarks.compare.clients import CLIENTS
from benchmarks.compare.facts import FACTS
from benchmarks.compare.scenario import ROWS
from tests.support.checkout import ROOT

TEXT = PAGE.read_text(encoding="utf-8")
TITLES = {"trials": [row.title for row in ROWS], "facts": list(FACTS)}
MOST_WORDS = 8


def between(name):
    (found,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", TEXT, re.DOTALL)
    return found


def lines(name):
    """Return the cells of a table, line by line, without the line below the heading."""
    heading, _rule, *rest = between(name).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (heading, *rest)]


@pytest.mark.parametrize("name", TITLES)
class TestTable:
    def test_has_every_row(self, name):
        assert [line[0] for line in lines(name)[1:]] == TITLES[name]

    def test_has_every_package(self, name):
        assert lines(name)[0][1:] == [client.title for client in CLIENTS]

    def test_has_a_few_words_in_every_cell(self, name):
        for title, *cells in lines(name)[1:]:
            assert len(cells) == len(CLIENTS), title
            for cell in cells:
                assert 1 <= len(cell.split()) <= MOST_WORDS, (title, cell)


def test_the_page_names_the_versions_of_the_lock_file():
    names = {client.package for client in CLIENTS if client.package}

    assert names <= set(locked())
    for name in names:
        assert f"{name} {locked()[name]}" in between("versions"), name


def test_simple_jwt_has_the_same_version_in_both_lock_files():
    pinned = f"djangorestframework-simplejwt=={locked()['djangorestframework-simplejwt']} "

    assert pinned in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
