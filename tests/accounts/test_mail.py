"""What a mail server that hangs may cost: it must not hold all threads of the server."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from accounts import mail

SMTP = "django.core.mail.backends.smtp.EmailBackend"
NEW = {"email": "ada@example.com", "password": "a long and good password"}


def send(number=0):
    mail.write_to(f"ada{number}@example.com", "Welcome", "welcome", "http://testserver/")


@pytest.fixture
def hanging(settings):
    """As many e-mails as may be sent at once, to a server that accepts and says nothing."""
    with (
        ThreadPoolExecutor(mail.AT_ONCE) as pool,
        ExitStack() as stack,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        server.settimeout(30)
        settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = SMTP, 30
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        sent = [pool.submit(send) for _ in range(mail.AT_ONCE)]
        for _ in sent:
            stack.enter_context(server.accept()[0])
        yield sent
    mail._hangs.clear()


def test_while_the_mail_server_hangs_a_known_and_an_unknown_address_get_the_usual_answer(
    client, user, hanging, caplog
):
    with caplog.at_level(logging.ERROR):
        answers = [
            client.post("/password/reset/", {"email": email})
            for email in (user.email, "nobody@example.com")
        ]

    assert not any(one.done() for one in hanging)
    assert {(one.status_code, one.headers["Location"]) for one in answers} == {
        (302, "/password/reset/sent/")
    }
    assert [record.getMessage() for record in caplog.records] == [
        "the e-mail 'password_reset' was not sent: 2 others wait for the mail server",
        "the e-mail 'unknown_address' was not sent: 2 others wait for the mail server",
    ]


def test_while_the_mail_server_hangs_a_sign_up_gets_the_usual_answer(client, db, hanging, caplog):
    with caplog.at_level(logging.ERROR):
        answer = client.post("/api/register/", NEW, content_type="application/json")

    assert not any(one.done() for one in hanging)
    assert answer.status_code == 201
    assert "the e-mail 'welcome' was not sent" in caplog.text


def test_only_the_first_e_mail_waits_to_see_whether_the_server_hangs(hanging, monkeypatch):
    send()
    monkeypatch.setattr(mail, "PATIENCE", 60)

    with ThreadPoolExecutor() as pool:
        pool.submit(send).result(timeout=30)

    assert not any(one.done() for one in hanging)


def test_a_server_that_is_back_gets_every_e_mail_of_a_burst(monkeypatch, mailoutbox):
    monkeypatch.setattr(mail, "PATIENCE", 60)
    mail._hangs.set()
    send_mail = mail.send_mail

    def slowly(*args):
        time.sleep(0.02)
        send_mail(*args)

    send()
    monkeypatch.setattr(mail, "send_mail", slowly)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(1, 9)))

    assert {one.to[0] for one in mailoutbox} == {f"ada{number}@example.com" for number in range(9)}
