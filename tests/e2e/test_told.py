"""The owner of an account hears of a stranger, and takes the account back, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.background import run_once
from accounts.models import Activity
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.mail_server import mail_server
from token_blacklist.models import BlacklistedToken

pytestmark = pytest.mark.browser

THIEF = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)


@pytest.fixture
def mailbox(settings):
    """A mail server, which gets e-mails by way of the queue."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "accounts.outbox.EmailBackend"
        settings.EMAIL_DELIVERY_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def owner(db, live_server, settings):
    """A user who has signed in before, from another device."""
    settings.SITE_ORIGIN = live_server.url
    user = UserFactory(email="ada@example.com")
    assert Device(user, HTTP_USER_AGENT="Mozilla/5.0 (iPhone)").log_in().status_code == 200
    run_once()
    assert Activity.objects.count() == 1
    return user


@pytest.fixture
def thief(others, owner):
    """Somebody who has learned the owner's password and has signed in."""
    visitor = others(user_agent=THIEF)
    visitor.sign_in(owner, PASSWORD)
    run_once()
    return visitor


def text_of(message):
    (plain,) = (part for part in message.walk() if part.get_content_type() == "text/plain")
    return plain.get_payload(decode=True).decode()


def link_in(message, path):
    return re.search(rf"http://\S*/{path}/\S+", text_of(message))[0]


def test_the_owner_reads_the_e_mail_and_puts_the_thief_out(mailbox, owner, thief, others):
    (message,) = mailbox.received
    assert message["To"] == owner.email
    assert "New sign-in to your account" in message["Subject"]
    assert "Device: Chrome on Windows" in text_of(message)
    stolen = thief.access_token
    ada = others()

    ada.page.goto(link_in(message, "report"))
    ada.presses("This wasn't me: secure my account")
    ada.sees("Your account is secured")

    refused = thief.page.request.get("/api/me/", headers={"authorization": f"Bearer {stolen}"})
    assert refused.status == 401
    assert thief.page.request.post("/api/token/refresh/").status in {401, 403}
    thief.page.goto("/account/")
    thief.is_at("/login/?next=/account/&signed_out=over")
    thief.types_credentials(owner.email)
    thief.sees("The e-mail address and/or password you specified are not correct.")

    run_once()
    ada.page.goto(link_in(mailbox.received[-1], "password/reset/key"))
    ada.page.get_by_label("New password", exact=True).fill("a new long password")
    ada.page.get_by_label("New password (again)", exact=True).fill("a new long password")
    ada.presses("Change password")
    ada.sees("Your password has been changed")
    ada.sign_in(owner, "a new long password")
    expect(ada.page.get_by_text("You reported: this wasn't me").first).to_be_visible()


def test_a_program_that_opens_the_link_changes_nothing(mailbox, owner, thief, others):
    link = link_in(mailbox.received[0], "report")
    scanner = others()

    for _each in range(2):
        assert scanner.page.goto(link).status == 200
    assert scanner.page.request.head(link).status == 200

    assert not BlacklistedToken.objects.exists()
    thief.page.reload()
    thief.sees_the_account()
