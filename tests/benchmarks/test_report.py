"""The tables of docs/performance.md: figures with ranges, and complete comparisons."""

from __future__ import annotations

import re

import pytest

from benchmarks import report
from benchmarks.figures import NO_DIFFERENCE, Figure, paired_ratio, ratio
from benchmarks.peers import KNOX
from benchmarks.sites import OURS, PEER


def test_a_figure_is_the_median_of_its_rounds_with_the_least_and_the_most():
    assert Figure([734, 700, 1300]).text(0) == "734 (700-1,300)"


def test_rounds_that_show_the_same_number_have_no_range():
    assert Figure([1.04, 1.01]).text(1) == "1.0"
    assert Figure([7.8]).text(1) == "7.8"


def test_a_ratio_agrees_with_the_medians_beside_it():
    # The rounds' ratios are 7, 2 and 6, so that their median, 6, is not the ratio of the medians.
    ours, theirs = Figure([700, 720, 900]), Figure([100, 360, 150])

    assert ratio(ours, theirs) == paired_ratio(ours, theirs) == "4.80 (2.00-7.00)"
    assert ours.median / theirs.median == 720 / 150


@pytest.mark.parametrize("theirs", [[2.2, 2.5, 2.4], [1.0, 3.0, 2.0], [2.3, 2.3, 2.3]])
def test_figures_whose_ranges_overlap_show_no_difference(theirs):
    ours = Figure([1.9, 2.1, 2.3])

    assert ratio(ours, Figure(theirs)) == NO_DIFFERENCE
    assert ratio(Figure(theirs), ours) == NO_DIFFERENCE


def test_figures_whose_ranges_do_not_overlap_differ():
    assert ratio(Figure([1.9, 2.1]), Figure([2.2, 2.5])) == "0.85 (0.84-0.86)"


def one_round(cpu, rate):
    measured = {"CPU ms": cpu, "per second": rate, "web CPU ms": cpu, "database CPU ms": 0.3}
    return {**measured, "p50 ms": 10, "p99 ms": 30}


def what_was_found():
    """Return results of a run: Simple JWT takes four times as long as this project, knox twice."""
    ours = [one_round(2.0, 700), one_round(2.1, 730)]
    theirs = [one_round(8.0, 120), one_round(8.4, 125)]
    knox = [one_round(3.9, 350), one_round(4.3, 365)]
    rounds = {
        "refresh": {OURS.title: ours, PEER.title: theirs},
        "authenticated request": {OURS.title: ours, PEER.title: theirs, KNOX.title: knox},
    }
    on_sqlite = {
        operation: {title: sites[title] for title in (OURS.title, PEER.title)}
        for operation, sites in rounds.items()
    }
    counted = {"statements": 1, "around them": 0}
    flush = {"seconds": 8, "deleted": 80, "logged": 400, "MiB": 80, "search": 20}
    flush |= {"p99 idle ms": 18, "p99 ms": 27, "longest ms": 71, "add page, few": 17}
    sizes = {"of a session": 950, "of a refresh": [53, -0.2]}
    lists = {"rows": 100, "listed": 10, **flush}
    return {
        "machine": {"Date": "2026-11-24"},
        "operations": {
            "PostgreSQL, gthread": {
                "rounds": rounds,
                "statements": {
                    name: dict.fromkeys(sites, counted) for name, sites in rounds.items()
                },
                "memory": {OURS.title: [66.7, 67.2], PEER.title: [57.0, 57.4]},
                "Rounds": 2,
                "Seconds of a turn": 2,
            },
            "SQLite, sync": {"rounds": on_sqlite},
        },
        "shares": {"refresh": {"Django": 0.556, "this project": 0.1}},
        "servers": [
            {
                "server": "2 sync",
                "processors": 1,
                "refresh, 8 clients": {"per second": 1500.4, "p99 ms": 12.6},
            }
        ],
        "sqlite": [{"database": "SQLite", "server": "2 gthread", "refresh, per second": 812.3}],
        "growth": [{**lists, "list": 30}, {**lists, "rows": 1000, "list": 33, "seconds": 96}],
        "lists": {OURS.title: [{**lists, "add page": 15}], PEER.title: [{**lists, "seconds": 62}]},
        "storage": {
            site.title: {"sessions": 2000, "refreshes": 5, **sizes} for site in (OURS, PEER)
        },
        "services": {
            name: [{"per second": n, "p50 ms": 4.0, "p99 ms": 9.0} for n in (1000, 1200, 1100)]
            for name in ("verifies", "asks")
        },
        "feed": [{"ended": 3000, "whole ms": 7.0, "new ms": 2.0}],
        "race": {site.title: {"least": 1, "most": 1} for site in (OURS, PEER)},
    }


def row(table, *labels):
    """Return the remaining cells of the table's row that begins with these."""
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {' | '.join(labels)} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][len(labels) :]


def test_each_set_up_has_a_ratio_to_each_other_site_for_each_operation():
    tables = report.tables(what_was_found())

    assert row(tables["cpu"], "PostgreSQL, gthread", PEER.title) == ["0.25", "0.25"]
    assert row(tables["rates"], "PostgreSQL, gthread", PEER.title) == ["5.84 (5.83-5.84)"] * 2
    assert row(tables["rates"], "SQLite, sync", PEER.title) == ["5.84 (5.83-5.84)"] * 2


def test_a_site_that_lacks_an_operation_has_no_ratio_for_it():
    table = report.tables(what_was_found())["cpu"]

    assert row(table, "PostgreSQL, gthread", KNOX.title) == ["—", "0.50 (0.49-0.51)"]
    assert f"| SQLite, sync | {KNOX.title} |" not in table


def test_the_figures_stand_beside_each_other():
    table = report.tables(what_was_found())["figures"]

    assert row(table, "SQLite, sync", "refresh", OURS.title) == [
        *("715 (700-730)", "2.05 (2.00-2.10)"),
        *("10.0", "30.0"),
    ]


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


def test_longer_lists_show_how_much_each_figure_grew():
    table = report.tables(what_was_found())["growth"]

    assert row(table, "flush, s") == ["8.0", "96.0", "12.0 times"]
    assert row(table, "admin: list of outstanding tokens, ms") == ["30", "33", "1.1 times"]


def test_a_page_that_is_skipped_for_simple_jwt_is_not_requested():
    table = report.tables(what_was_found())["lists"]

    assert row(table, "the same at 100 rows, ms")[:2] == ["15", "not tried"]
    assert row(table, "flush of 100 rows, s") == ["8.0", "62.0", "0.13"]


def test_a_page_that_times_out_in_one_round_has_no_figure():
    found = what_was_found()
    found["lists"][PEER.title][0]["add page, few"] = None

    table = report.tables(found)["lists"]

    assert "| 17 | given up after 2 minutes |" in table


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
