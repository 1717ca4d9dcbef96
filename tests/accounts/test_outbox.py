"""E-mails wait in the database, and no request waits for the mail server."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import locmem
from django.db import connection
from django.utils import timezone
from post_office.models import STATUS, Email, Log
from time_machine import travel

from accounts import outbox
from tests.support.checkout import ROOT
from tests.support.mail_server import mail_server
from tests.support.server import beside, environment

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
SEND = "import django; django.setup(); from accounts import outbox; print(outbox.send_waiting())"

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def outgoing(settings):
    """Queue e-mails as outside of tests, and deliver them to `mail.outbox`."""
    settings.EMAIL_BACKEND = "accounts.outbox.EmailBackend"
    settings.EMAIL_DELIVERY_BACKEND = LOCMEM
    return mail


@pytest.fixture
def server(settings):
    """A mail server that the outbox delivers to."""
    with mail_server() as server:
        settings.EMAIL_DELIVERY_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def hanging(settings):
    """A mail server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_DELIVERY_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.1
        yield server


@pytest.fixture
def clock():
    """The clock, which goes on and can be moved."""
    with travel(timezone.now()) as clock:
        yield clock


def queue(*addresses, **facts):
    for address in addresses:
        message = EmailMessage("Hello", "A text", None, [address])
        vars(message).update(facts)
        message.send()


def states():
    return [*Email.objects.order_by("pk").values_list("status", "number_of_retries")]


@pytest.mark.pages
@pytest.mark.parametrize("address", ["ada@example.com", "nobody@example.com"])
def test_a_request_does_not_connect_to_the_mail_server(client, user, hanging, address):
    answer = client.post("/password/reset/", {"email": address})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/password/reset/done/")
    assert Email.objects.get().to == [address]
    hanging.settimeout(0)
    with pytest.raises(BlockingIOError):
        hanging.accept()


def test_while_the_server_hangs_a_round_takes_one_attempt(hanging):
    queue("ada@example.com", "bob@example.com", "eve@example.com")

    assert outbox.send_waiting() == 0

    assert states() == [(STATUS.requeued, 1), (STATUS.queued, None), (STATUS.queued, None)]


def test_a_deferred_email_is_sent_later_and_then_gone(server, clock):
    server.answers["RCPT"] = "451 try later"
    queue("ada@example.com")

    assert outbox.send_waiting() == 0
    server.answers.clear()
    assert outbox.send_waiting() == 0, "it was tried again at once"
    clock.shift(timedelta(seconds=61))
    assert outbox.send_waiting() == 1

    assert [message["To"] for message in server.received] == ["ada@example.com"]
    assert not Email.objects.exists()
    assert not Log.objects.exists()


def test_a_refused_address_is_given_up_and_does_not_stop_the_others(server):
    server.answers["RCPT TO:<ADA@"] = "550 no such user"
    queue("ada@example.com", "bob@example.com")

    assert outbox.send_waiting() == 1

    assert [message["To"] for message in server.received] == ["bob@example.com"]
    assert states() == [(STATUS.failed, 1)]
    assert Log.objects.get().exception_type == "SMTPRecipientsRefused"


def test_an_email_is_given_up_after_about_a_day(hanging, settings, clock):
    settings.EMAIL_TIMEOUT = 0.01
    queue("ada@example.com")
    began = timezone.now()

    while Email.objects.get().status != STATUS.failed:
        clock.move_to(Email.objects.get().scheduled_time or began)
        outbox.send_waiting()

    assert timedelta(hours=20) < timezone.now() - began < timedelta(hours=28)


def test_a_code_that_has_expired_is_not_sent(outgoing, clock):
    queue("ada@example.com", expires_at=timezone.now() + timedelta(minutes=3))
    clock.shift(timedelta(minutes=4))

    assert outbox.send_waiting() == 0

    assert not outgoing.outbox
    assert states() == [(STATUS.failed, None)]
    assert outbox.send_again(Email.objects.all()) == 0


@pytest.mark.pages
def test_a_link_of_a_password_reset_expires_in_the_outbox_as_well(client, user):
    client.post("/password/reset/", {"email": user.email})

    left = Email.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_a_failed_email_can_be_sent_again_and_is_deleted_after_a_month(server, outgoing, clock):
    server.answers["RCPT"] = "550 no such user"
    queue("ada@example.com", "bob@example.com")
    outbox.send_waiting()
    server.answers.clear()

    assert outbox.send_again(Email.objects.filter(to="ada@example.com")) == 1
    assert outbox.send_waiting() == 1
    clock.shift(timedelta(days=31))
    outbox.send_waiting()

    assert not Email.objects.exists()


def test_an_email_that_no_key_decrypts_is_kept_as_failed(settings):
    queue("ada@example.com")
    settings.SECRET_KEY = "another key " * 5

    assert outbox.send_waiting() == 0

    assert states() == [(STATUS.failed, 1)]


def test_an_email_is_sent_as_it_was_written(outgoing):
    message = EmailMultiAlternatives(
        "Grüße {{ 7 }}",
        "A text {% now %}",
        '"Shop, Inc" <shop@example.com>',
        ['"Lovelace, Ada" <ada@example.com>'],
        cc=["cc@example.com"],
        bcc=["bcc@example.com"],
        reply_to=["a@example.com", "b@example.com"],
        headers={"X-Kind": "test", "Message-ID": "<1@example.com>"},
        alternatives=[("<b>A text</b>", "text/html"), ("{}", "application/json")],
    )
    message.attach("notes.txt", "Grüße", "text/plain")
    message.attach("data.bin", b"\x00\xff")
    message.send()

    assert outbox.send_waiting() == 1

    (sent,) = outgoing.outbox
    for name in ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to"):
        assert getattr(sent, name) == getattr(message, name)
    assert [tuple(each) for each in sent.alternatives] == [
        ("<b>A text</b>", "text/html"),
        ("{}", "application/json"),
    ]
    assert [tuple(each) for each in sent.attachments] == [
        ("notes.txt", "Grüße", "text/plain"),
        ("data.bin", b"\x00\xff", "application/octet-stream"),
    ]
    assert sent.message()["Message-ID"] == "<1@example.com>"
    assert sent.message()["X-Kind"] == "test"
    assert sent.message()["Date"]


def stored():
    """Return every value in every table of the outbox as one text."""
    return "\n".join(
        str(row)
        for model in apps.get_app_config("post_office").get_models(include_auto_created=True)
        for row in model.objects.values_list()
    )


@pytest.mark.pages
def test_no_link_is_readable_in_the_database(client, user, outgoing, hanging, settings):
    client.post("/password/reset/", {"email": user.email})
    waiting = stored()
    outbox.send_waiting()
    retried = stored()
    settings.EMAIL_DELIVERY_BACKEND = LOCMEM
    Email.objects.update(scheduled_time=None)
    outbox.send_waiting()

    (link,) = re.findall(r"/password/reset/key/\S+", outgoing.outbox[0].body)
    assert user.email in waiting
    assert Log.objects.count() == 0
    for text in (waiting, retried):
        assert "/password/reset/key/" not in text
        assert link.strip("/").rpartition("-")[2] not in text


class SlowBackend(locmem.EmailBackend):
    def send_messages(self, messages):
        time.sleep(0.01)
        return super().send_messages(messages)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_senders_at_the_same_time_send_each_email_once(outgoing, settings):
    settings.EMAIL_DELIVERY_BACKEND = f"{__name__}.SlowBackend"
    addresses = [f"ada{number}@example.com" for number in range(20)]
    queue(*addresses)

    def send(_):
        try:
            return outbox.send_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counts = [*pool.map(send, range(4))]

    assert sum(counts) == 20
    assert sorted(message.to[0] for message in outgoing.outbox) == sorted(addresses)


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_email_of_a_killed_sender_is_sent_by_the_next(outgoing, hanging, settings, clock):
    queue("ada@example.com")
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = beside(os.environ["DATABASE_URL"], name)
    host, port = hanging.getsockname()
    env = environment(ROOT, DATABASE_URL=url, EMAIL_URL=f"smtp://{host}:{port}")
    hanging.settimeout(60)

    sender = subprocess.Popen([sys.executable, "-c", SEND], cwd=ROOT, env=env)
    with hanging.accept()[0]:
        sender.send_signal(signal.SIGKILL)
        sender.wait(timeout=20)
    settings.EMAIL_DELIVERY_BACKEND = LOCMEM
    assert outbox.send_waiting() == 0, "its lease has not ended"
    clock.shift(outbox.LEASE)

    assert outbox.send_waiting() == 1
    assert outgoing.outbox[0].to == ["ada@example.com"]
