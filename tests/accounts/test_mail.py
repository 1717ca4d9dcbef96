"""A mail server that hangs must not block all threads of the web server."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.core.mail import EmailMessage

from accounts import mail

SMTP = "django.core.mail.backends.smtp.EmailBackend"
NOT_SENT = "the e-mail 'account/email/email_confirmation_signup' was not sent"
SIGN_UP_FORM = {"email": "ada@example.com", "password1": "a long and good password"}


def send(number=0):
    mail.deliver(EmailMessage("Hello", "", None, [f"ada{number}@example.com"]), "hello")


@pytest.fixture
def hanging(settings):
    """The maximum number of e-mails at once, to a server that accepts and never answers."""
    with (
        ThreadPoolExecutor(mail.MAX_SENDING) as pool,
        ExitStack() as stack,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        server.settimeout(30)
        settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = SMTP, 30
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        sent = [pool.submit(send) for _ in range(mail.MAX_SENDING)]
        for _ in sent:
            stack.enter_context(server.accept()[0])
        yield sent
    mail._server_hangs.clear()


@pytest.fixture
def failures():
    """Count the e-mails that could not be sent, as the metric `emails_failed` does."""
    counted = []

    def count(sender, **facts):
        counted.append(sender)

    mail.email_failed.connect(count)
    yield counted
    mail.email_failed.disconnect(count)


@pytest.mark.pages
def test_a_hanging_mail_server_does_not_change_the_response_to_a_password_reset(
    client, user, hanging, caplog, failures
):
    with caplog.at_level(logging.ERROR):
        answers = [
            client.post("/password/reset/", {"email": email})
            for email in (user.email, "nobody@example.com")
        ]

    assert not any(one.done() for one in hanging)
    assert {(one.status_code, one.headers["Location"]) for one in answers} == {
        (302, "/password/reset/done/")
    }
    assert [record.getMessage() for record in caplog.records] == [
        f"the e-mail 'account/email/{name}' was not sent: 2 others wait for the mail server"
        for name in ("password_reset_key", "unknown_account")
    ]
    assert len(failures) == 2


@pytest.mark.pages
def test_a_hanging_mail_server_does_not_change_the_response_to_a_sign_up(
    client, db, hanging, caplog
):
    with caplog.at_level(logging.ERROR):
        answer = client.post("/signup/", SIGN_UP_FORM)

    assert not any(one.done() for one in hanging)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/")
    assert NOT_SENT in caplog.text


@pytest.mark.pages
def test_a_sign_up_while_the_mail_server_hangs_offers_to_resend_the_code(
    client, db, verify_by_code, hanging, caplog
):
    with caplog.at_level(logging.ERROR):
        answer = client.post("/signup/", SIGN_UP_FORM)

    assert not any(one.done() for one in hanging)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/confirm-email/")
    assert NOT_SENT in caplog.text
    assert 'value="resend"' in client.get("/confirm-email/").content.decode()


@pytest.mark.pages
@pytest.mark.parametrize("problem", [OSError("refused"), ValueError("no such address")])
def test_a_failed_email_is_logged_and_counted_and_the_response_is_the_same(
    client, user, monkeypatch, caplog, failures, problem
):
    def fail(message):
        raise problem

    monkeypatch.setattr(EmailMessage, "send", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.post("/password/reset/", {"email": user.email})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/password/reset/done/")
    assert "the e-mail 'account/email/password_reset_key' could not be sent" in caplog.text
    assert len(failures) == 1


def test_only_one_email_waits_for_a_hanging_mail_server(hanging, monkeypatch):
    send()
    monkeypatch.setattr(mail, "MAX_WAIT_SECONDS", 60)

    with ThreadPoolExecutor() as pool:
        pool.submit(send).result(timeout=30)

    assert not any(one.done() for one in hanging)


def test_a_recovered_mail_server_gets_every_email_of_a_burst(monkeypatch, mailoutbox):
    monkeypatch.setattr(mail, "MAX_WAIT_SECONDS", 60)
    mail._server_hangs.set()
    send_at_once = EmailMessage.send

    def slowly(message):
        time.sleep(0.02)
        return send_at_once(message)

    send()
    monkeypatch.setattr(EmailMessage, "send", slowly)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(1, 9)))

    assert {one.to[0] for one in mailoutbox} == {f"ada{number}@example.com" for number in range(9)}
