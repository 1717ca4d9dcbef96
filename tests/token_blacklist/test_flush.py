"""The daily flush: what it deletes, its limits, its output, and the clocks."""

import json
import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.factories import (
    BlacklistedTokenFactory,
    OutstandingTokenFactory,
    insert_sessions,
)
from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken
from token_blacklist.sessions import flush

TABLE = OutstandingToken._meta.db_table

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_table(db):
    """On PostgreSQL the flush depends on the table's size, which includes deleted rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE token_blacklist_outstandingtoken CASCADE")


def run(capsys, *arguments):
    """Run the command; return its exit code and what it printed, the error included."""
    code, error = 0, ""
    try:
        call_command("flushexpiredtokens", *arguments)
    except CommandError as raised:
        code, error = raised.returncode, str(raised)
    return code, capsys.readouterr().out + error


def fill(count):
    BlacklistedTokenFactory.create_batch(count // 2, token__expired=True)
    OutstandingTokenFactory.create_batch(count - count // 2, expired=True)


@pytest.fixture
def few_among_many():
    """More pages of the table than there are expired rows."""
    OutstandingTokenFactory.create_batch(150, user=None, user_agent="x" * 255)


def test_the_oldest_expired_rows_are_deleted_first(few_among_many):
    days = [OutstandingTokenFactory(expires_at=timezone.now() - timedelta(days=n)) for n in (1, 3)]
    oldest = OutstandingTokenFactory(expires_at=timezone.now() - timedelta(days=5))

    flush.delete_expired(batch_size=1, max_seconds=0)

    assert not OutstandingToken.objects.filter(pk=oldest.pk).exists()
    assert OutstandingToken.objects.filter(pk__in=[day.pk for day in days]).count() == 2


@pytest.mark.postgresql
def test_expired_rows_in_most_pages_are_deleted_page_by_page():
    rows = [
        OutstandingTokenFactory(
            user=None, expires_at=timezone.now() - timedelta(days=days), user_agent="x" * 255
        )
        for days in (1, 5, 2, 4, 3) * 20
    ]
    live = OutstandingTokenFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text::point FROM token_blacklist_outstandingtoken")
        page = {pk: int(place[1:].split(",")[0]) for pk, place in cursor}

    flush.delete_expired(batch_size=30, max_seconds=0)
    left = set(OutstandingToken.objects.values_list("pk", flat=True)) - {live.pk}
    gone = {row.pk for row in rows} - left
    assert 0 < len(gone) <= 30
    assert max(page[pk] for pk in gone) <= min(page[pk] for pk in left)
    flush.delete_expired(batch_size=30)

    assert OutstandingToken.objects.get() == live


@pytest.mark.postgresql
def test_page_by_page_reads_each_page_about_once():
    insert_sessions(7_000, lifetime=timedelta(days=-2))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max((ctid::text::point)[0])::int + 1 FROM token_blacklist_outstandingtoken"
        )
        (pages,) = cursor.fetchone()

    with CaptureQueriesContext(connection) as captured:
        flush.delete_expired(batch_size=500)

    bounds = [re.findall(r"'\((\d+),0\)'", query["sql"]) for query in captured]
    read = sum(int(end) - int(start) for start, end in filter(None, bounds))
    assert not OutstandingToken.objects.exists()
    assert pages > 50
    assert pages <= read < 1.5 * pages


@pytest.mark.parametrize("batch_size", [2, 7])
def test_batches_of_any_size_delete_the_same(capsys, batch_size):
    fill(7)
    kept = BlacklistedTokenFactory()

    code, said = run(capsys, "--batch-size", str(batch_size))

    assert (code, said.split(" in ")[0]) == (0, "Deleted 7 expired tokens and 3 blacklist records")
    assert BlacklistedToken.objects.get() == kept


def test_rows_with_the_same_expiry_are_all_deleted(capsys):
    moment = timezone.now() - timedelta(hours=1)
    OutstandingTokenFactory.create_batch(9, expires_at=moment)

    run(capsys, "--batch-size", "2")

    assert not OutstandingToken.objects.exists()


def test_a_dry_run_counts_and_deletes_nothing(capsys):
    fill(5)
    OutstandingTokenFactory()

    assert run(capsys, "--dry-run") == (
        0,
        "Would delete 5 expired tokens and 2 blacklist records.\n",
    )
    assert json.loads(run(capsys, "--dry-run", "--json")[1]) == {
        "outcome": "dry_run",
        "outstanding": 5,
        "blacklisted": 2,
    }
    assert OutstandingToken.objects.count() == 6
    assert not FlushRun.objects.exists()


def test_out_of_time_is_exit_code_3_with_the_number_that_remain(capsys):
    fill(5)

    code, said = run(capsys, "--batch-size", "2", "--max-seconds", "0")

    assert code == 3
    assert said.endswith(" s.\nOut of time: 3 remain. Run the command again.")
    assert FlushRun.objects.get().outcome == "out_of_time"


def test_a_pause_beyond_max_seconds_is_skipped(capsys):
    fill(5)

    code, _said = run(capsys, "--batch-size", "2", "--max-seconds", "50", "--pause", "100")

    assert code == 3
    assert OutstandingToken.objects.count() == 3


def test_a_stopped_flush_finishes_its_batch_and_is_recorded_as_stopped():
    fill(6)
    stop = threading.Event()

    report = flush.delete_expired(
        batch_size=2, pause=60, stop=stop, after_batch=lambda taken: stop.set()
    )

    assert (report.outcome, report.outstanding) == ("stopped", 2)
    assert FlushRun.objects.get().outcome == "stopped"


def test_a_pause_does_not_wait_on_the_event_that_a_signal_handler_sets():
    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            raise AssertionError("a signal at this point would block the thread forever")

    fill(6)

    report = flush.delete_expired(batch_size=2, pause=0.01, stop=Interrupted())

    assert report.outstanding == 6


def test_json_output_is_one_object(capsys):
    fill(5)

    code, said = run(capsys, "--json", "--batch-size", "2", "--max-seconds", "0")

    report = json.loads(said.splitlines()[0])
    assert report.pop("seconds") >= 0
    assert code == 3
    assert report == {"outcome": "out_of_time", "outstanding": 2, "blacklisted": 2, "left": 3}


@pytest.mark.parametrize("size", ["0", "30001"])
def test_an_invalid_batch_size_is_refused_with_a_message(size):
    with pytest.raises(CommandError, match="--batch-size must be from 1 to 30000"):
        call_command("flushexpiredtokens", "--batch-size", size)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 1.5},
        {"batch_size": None},
        {"max_seconds": timedelta(seconds=5)},
        {"max_seconds": -1},
        {"pause": float("nan")},
    ],
)
def test_an_invalid_option_of_call_command_is_a_command_error(options):
    with pytest.raises(CommandError, match=f"--{next(iter(options)).replace('_', '-')}"):
        call_command("flushexpiredtokens", **options)


def test_a_failed_flush_keeps_finished_batches_and_is_recorded_as_failed():
    fill(4)
    batches = iter([True])

    def second_fails(execute, sql, *rest):
        if sql.startswith(f'DELETE FROM "{TABLE}"') and not next(batches, False):
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    with (
        connection.execute_wrapper(second_fails),
        pytest.raises(CommandError, match=r"the disk is full.*try again"),
    ):
        call_command("flushexpiredtokens", "--batch-size", "2")
    run = FlushRun.objects.get()
    assert (run.outcome, run.outstanding_deleted) == ("failed", 2)
    assert OutstandingToken.objects.count() == 2


@pytest.mark.slow
def test_the_largest_batch_fits_into_one_statement(capsys):
    insert_sessions(flush.LARGEST_BATCH, lifetime=timedelta(days=-1))

    code, _said = run(capsys, "--batch-size", str(flush.LARGEST_BATCH))

    assert code == 0
    assert not OutstandingToken.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=-2)])
def test_nothing_is_deleted_if_the_clocks_differ_by_days(monkeypatch, ahead):
    fill(2)
    OutstandingTokenFactory()
    monkeypatch.setattr(flush, "database_time", lambda: timezone.now() + ahead)

    for arguments in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match=r"The clocks differ: .* Nothing was deleted"):
            call_command("flushexpiredtokens", *arguments)

    assert OutstandingToken.objects.count() == 3
    assert not FlushRun.objects.exists()


@pytest.mark.parametrize("minutes", [4, -4])
def test_the_earlier_of_two_slightly_different_clocks_decides_what_has_expired(
    capsys, monkeypatch, minutes
):
    now = timezone.now()
    there = now + timedelta(minutes=minutes)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr(flush, "database_time", lambda: there)
    OutstandingTokenFactory(expires_at=min(now, there) - timedelta(seconds=1))
    kept = OutstandingTokenFactory(expires_at=min(now, there) + timedelta(seconds=1))

    run(capsys)

    assert list(OutstandingToken.objects.all()) == [kept]


@pytest.mark.postgresql
def test_an_application_clock_that_is_days_ahead_deletes_no_live_session():
    session = OutstandingTokenFactory()

    with (
        time_machine.travel(timezone.now() + timedelta(days=2)),
        pytest.raises(CommandError, match="The clocks differ"),
    ):
        call_command("flushexpiredtokens")

    assert OutstandingToken.objects.get() == session


def test_a_killed_run_keeps_its_counts_and_the_next_run_marks_it_interrupted(monkeypatch):
    class Killed(BaseException):
        """Simulates a killed process: no cleanup runs after it."""

    def kill(taken):
        monkeypatch.setattr(FlushRun, "save", lambda run: None)
        raise Killed

    fill(4)
    monkeypatch.setattr(flush, "SAVE_INTERVAL", 0)
    with pytest.raises(Killed):
        flush.delete_expired(batch_size=2, after_batch=kill)
    monkeypatch.undo()

    run = FlushRun.objects.get()
    assert (run.outcome, run.outstanding_deleted) == ("running", 2)
    FlushRun.objects.update(started_at=timezone.now() - timedelta(minutes=2))
    flush.delete_expired()

    assert [*FlushRun.objects.order_by("pk").values_list("outcome", flat=True)] == [
        "interrupted",
        "done",
    ]


def test_a_running_flush_is_not_marked_interrupted_by_a_parallel_one(monkeypatch):
    began = timezone.now() - timedelta(hours=2)
    FlushRun.objects.create(started_at=began, duration=timedelta(hours=2))

    flush.delete_expired()

    assert FlushRun.objects.get(started_at=began).outcome == "running"
