"""The work beside the requests: one thread, which is woken, and goes on after an error."""

import logging
from io import StringIO
from threading import Event

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import transaction
from post_office.models import STATUS, Email

from accounts import background
from tests.support.mail_server import mail_server
from tests.support.server import call, served

STEP = f"{__name__}.step"
QUEUE = "accounts.outbox.EmailBackend"
rounds = []
reached = Event()


def step():
    """Count the rounds; end the thread with the second."""
    rounds.append(1)
    if len(rounds) == 2:
        reached.set()
        raise SystemExit


def fail():
    raise ValueError("broken")


@pytest.fixture(autouse=True)
def steps(monkeypatch):
    rounds.clear()
    reached.clear()
    monkeypatch.setattr(background, "STEPS", (f"{__name__}.fail", STEP))
    monkeypatch.setattr(background, "PAUSE", 0)
    monkeypatch.setattr(background, "_thread", None)
    background._wanted.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # SystemExit
def test_a_woken_thread_begins_a_round_and_survives_a_step_that_fails(settings, caplog):
    settings.EMAILS_SENT_BY = "web"

    with caplog.at_level(logging.ERROR):
        background.start()
        thread = background._thread
        background.start()
        assert not reached.wait(0.2), "a round began although nobody asked for it"
        background.wake()
        thread.join(timeout=background.EVERY / 3)

    assert len(rounds) == 2
    assert background._thread is thread
    assert caplog.messages == [f"{__name__}.fail failed"] * 2


def test_where_a_scheduler_sends_no_thread_starts(settings):
    settings.EMAILS_SENT_BY = "scheduler"

    background.start()

    assert background._thread is None


@pytest.mark.django_db(transaction=True)
def test_a_queued_email_asks_for_a_round_when_its_transaction_is_committed(settings, monkeypatch):
    settings.EMAIL_BACKEND = QUEUE
    monkeypatch.setattr(background, "_thread", object())

    with transaction.atomic():
        EmailMessage("Hello", "A text", None, ["ada@example.com"]).send()
        assert not background._wanted.is_set()

    assert background._wanted.is_set()


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_asks_for_a_round(device, monkeypatch):
    monkeypatch.setattr(background, "_thread", object())
    background._wanted.clear()

    device.log_in()

    assert background._wanted.is_set()


def test_the_command_fails_if_a_step_fails(db):
    with pytest.raises(CommandError, match="A step failed"):
        call_command("sendemails", stdout=StringIO())


def give_up():
    Email.objects.create(to="ada@example.com", from_email="a@example.com", status=STATUS.failed)


def test_the_command_fails_if_an_email_was_given_up_in_this_round(db, monkeypatch):
    monkeypatch.setattr(background, "STEPS", (f"{__name__}.give_up",))

    with pytest.raises(CommandError, match="could not be sent: 1"):
        call_command("sendemails")
    monkeypatch.setattr(background, "STEPS", ())
    call_command("sendemails")


@pytest.mark.process
@pytest.mark.pages
@pytest.mark.django_db(transaction=True)
def test_the_server_sends_an_email_beside_the_request(tmp_path):
    with (
        mail_server() as server,
        served(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{server.port}", EMAILS_SENT_BY="web") as url,
    ):
        status, _ = call(
            f"{url}/_allauth/app/v1/auth/password/request", {"email": "nobody@example.com"}
        )
        assert server.arrived.wait(10)

    assert status == 200
    assert server.received[0]["To"] == "nobody@example.com"
