"""The tables of docs/performance.md, and the others that a run prints."""

from __future__ import annotations

import re

import pytest

from benchmarks import report
from benchmarks.figures import Figure, paired
from benchmarks.operations import OPERATIONS
from benchmarks.peers import KNOX
from benchmarks.sites import ALONE, OURS, PEER


def test_a_figure_is_the_median_of_its_rounds_with_the_least_and_the_most():
    assert Figure([734, 700, 1300]).text(0) == "734 (700-1,300)"


def test_rounds_that_show_the_same_number_have_no_range():
    assert Figure([1.04, 1.01]).text(1) == "1.0"
    assert Figure([7.8]).text(1) == "7.8"


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_sites():
    # The medians are 6 and 3. In each round but one the second took as long as the first.
    assert paired([1, 6, 9, 30], [1, 6, 9, 3]) == "1.00 (1.00-3.25)"


def test_a_turn_that_was_disturbed_does_not_widen_the_range_of_a_ratio():
    assert paired([2] * 8 + [50], [1] * 9) == "2.00"


def test_one_round_has_a_ratio_without_a_range():
    assert paired([3], [2]) == "1.50"


def turn(milliseconds):
    return {"CPU ms": milliseconds, "database CPU ms": 0.1, "wall ms": 2 * milliseconds}


def what_was_found():
    """Return what a run finds: Simple JWT at three times our cost, and knox at twice."""
    sites = {OURS.title: 1.0, PEER.title: 3.0, ALONE.title: 0.75}
    rounds = {
        operation: {title: [turn(cost), turn(cost)] for title, cost in sites.items()}
        for operation in OPERATIONS
    }
    rounds["authenticated request"][KNOX.title] = [turn(2.0), turn(2.0)]
    memory = {**dict.fromkeys(sites, 66.7), KNOX.title: 47.2}
    flush = {"seconds": 8, "deleted": 80, "logged": 400, "MiB": 80, "search": 20, "list": 30}
    flush |= {"p99 idle ms": 18, "p99 ms": 27, "longest ms": 71}
    sizes = {"of a session": 950, "of a refresh": [53, -0.2]}
    return {
        "machine": {"Date": "2026-11-24"},
        "operations": {
            name: {"rounds": rounds, "memory": memory} for name in ("PostgreSQL", "SQLite")
        },
        "growth": [
            {**flush, "site": PEER.title, "rows": 100, "seconds": 62},
            {**flush, "site": OURS.title, "rows": 100},
            {**flush, "site": OURS.title, "rows": 1000, "seconds": 96},
        ],
        "shares": {"refresh": {"Django": 0.556, "this project": 0.1}},
        "servers": [
            {
                "server": "2 sync",
                "processors": 1,
                "refresh, 8 clients": {"per second": 1500.4, "p99 ms": 12.6},
            }
        ],
        "sqlite": [{"database": "SQLite", "server": "2 gthread", "refresh, per second": 812.3}],
        "storage": {
            site.title: {"sessions": 2000, "refreshes": 5, **sizes} for site in (OURS, PEER)
        },
        "services": {
            name: [{"per second": n, "p50 ms": 4.0, "p99 ms": 9.0} for n in (1000, 1200, 1100)]
            for name in ("verifies", "asks")
        },
        "feed": [{"ended": 3000, "whole ms": 7.0, "new ms": 2.0}],
    }


def row(table, *labels):
    """Return the cells behind these, which a line of the table begins with."""
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {' | '.join(labels)} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][len(labels) :]


@pytest.mark.parametrize(("name", "theirs"), [("cpu", "3.00 ms"), ("wall", "6.00 ms")])
def test_each_site_says_how_many_times_its_cost_simple_jwt_has(name, theirs):
    table = report.tables(what_was_found())[name]

    for database in ("PostgreSQL", "SQLite"):
        assert row(table, database, OURS.title) == ["3.00"] * 4
        assert row(table, database, ALONE.title) == ["4.00"] * 4
        assert row(table, database, PEER.title) == [theirs] * 4


def test_a_site_that_lacks_an_operation_has_no_ratio_for_it():
    table = report.tables(what_was_found())["cpu"]

    assert row(table, "PostgreSQL", KNOX.title) == ["1.50", "—", "—", "—"]


def test_the_milliseconds_of_each_site_stand_beside_each_other():
    table = report.tables(what_was_found())["figures"]

    assert row(table, "SQLite", "refresh", ALONE.title) == ["0.750", "0.100", "1.500"]


def test_each_site_has_its_memory_on_each_database():
    table = report.tables(what_was_found())["memory"]

    for database in ("PostgreSQL", "SQLite"):
        assert row(table, f"on {database}") == ["67", "67", "67", "47"]


def test_each_package_has_its_share_in_percent():
    table = report.tables(what_was_found())["shares"]

    assert row(table, "Django") == ["56%"]
    assert row(table, "this project") == ["10%"]


def test_a_server_has_its_requests_a_second_and_their_p99():
    table = report.tables(what_was_found())["servers"]

    assert row(table, "1", "2 sync") == ["1,500 (13)"]


def test_the_figures_on_sqlite_have_their_names_as_heads():
    table = report.tables(what_was_found())["sqlite"]

    assert table.splitlines()[0] == "| database | server | refresh, per second |"
    assert row(table, "SQLite", "2 gthread") == ["812"]


def test_each_list_has_a_column_with_its_length():
    table = report.tables(what_was_found())["growth"]

    assert table.splitlines()[0] == (
        f"|  | {PEER.title}, 100 rows | {OURS.title}, 100 rows | {OURS.title}, 1,000 rows |"
    )
    assert row(table, "flush, s") == ["62.0", "8.0", "96.0"]


def test_a_refresh_that_takes_no_space_takes_0_bytes_and_not_minus_0():
    table = report.tables(what_was_found())["storage"]

    assert row(table, "a refresh of series 1")[0] == "53"
    assert row(table, "a refresh of series 2")[0] == "0"


def test_services_stand_beside_each_other():
    table = report.tables(what_was_found())["services"]

    assert table.splitlines()[0] == "|  | verifies | asks |"
    assert row(table, "per second") == ["1,100 (1,000-1,200)"] * 2


def test_the_feed_has_its_times_by_the_number_of_sessions():
    table = report.tables(what_was_found())["feed"]

    assert row(table, "3,000") == ["10", "7.0", "2.0"]


def test_a_run_writes_every_table_of_the_page(tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    text = report.PAGE.read_text()
    page.write_text(re.sub(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", r"\1\3", text, flags=re.S))
    monkeypatch.setattr(report, "PAGE", page)

    report.write(report.tables(what_was_found()))

    assert "-->\n<!-- /" not in page.read_text()
    assert not re.search(r"^\|", re.sub(r"(?s)<!-- (\w+) -->.*?<!-- /\1 -->", "", text), re.M)
