"""The e-mails that tell the owner of an account what others did in it."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from smtplib import SMTPServerDisconnected
from unittest.mock import patch

import pytest
from django.core.mail import EmailMessage

from accounts.models import Activity
from accounts.notices import write_emails
from tests.support.factories import UserFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 12, 1, 11, 40, tzinfo=UTC)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36"
Kind, Mail = Activity.Kind, Activity.Mail


@pytest.fixture
def happens(user):
    """Create activities that wait for an e-mail: `happens("reuse", 2)`."""

    def create(kind=Kind.SIGN_IN, count=1, *, at=AT, **fields):
        fields = {"ip_address": "192.0.2.7", "user_agent": CHROME, "mail": Mail.WAITING, **fields}
        start = Activity.objects.count()
        return [
            Activity.objects.create(user=user, kind=kind, at=at, session_id=f"s{number}", **fields)
            for number in range(start, start + count)
        ]

    return create


def words(message):
    return " ".join(message.body.split())


def mails():
    return list(Activity.objects.order_by("pk").values_list("mail", flat=True))


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.SIGN_IN, "New sign-in to your account"),
        (Kind.REUSE, "A session of your account was ended"),
        (Kind.SUPPORT, "Support ended a session of your account"),
    ],
)
def test_an_e_mail_says_what_happened_when_and_where(
    happens, user, mailoutbox, settings, kind, subject
):
    settings.SITE_ORIGIN = "https://app.example.com"
    happens(kind)

    assert write_emails(AT) == 1

    (message,) = mailoutbox
    assert message.to == [user.email]
    assert message.subject == f"{settings.SITE_NAME}: {subject}"
    assert "When: Dec. 1, 2026, 11:40 UTC\nDevice: Chrome on Linux\n" in message.body
    assert "IP address: 192.0.2.7\n" in message.body
    ((html, _kind),) = message.alternatives
    assert 'href="https://app.example.com/' in html


@pytest.mark.pages
def test_an_e_mail_has_one_link_that_takes_the_account_back(happens, user, mailoutbox, client):
    happens()

    write_emails(AT)

    urls = re.findall(r"http://localhost:8000(/\S*)", mailoutbox[0].body)
    assert len(urls) == 2  # and the home page
    assert client.post(urls[0]).status_code == HTTPStatus.OK
    user.refresh_from_db()
    assert user.secured_at


def test_an_e_mail_is_written_once(happens, mailoutbox):
    happens()

    assert [write_emails(AT), write_emails(AT)] == [1, 0]

    (activity,) = Activity.objects.all()
    assert (activity.mail, activity.mailed_at) == (Mail.SENT, AT)


def test_sessions_that_support_ended_together_are_one_e_mail_with_the_reason(happens, mailoutbox):
    happens(Kind.SUPPORT, 3, note="Stolen phone,\nas you told us")
    happens(Kind.SUPPORT, at=AT + timedelta(minutes=1))

    assert write_emails(AT) == 2

    first, second = sorted(mailoutbox, key=lambda message: "3" not in message.subject)
    assert "ended 3 of your sessions" in words(first)
    assert "Reason: Stolen phone, as you told us" in words(first)
    assert first.body.count("Device: ") == 3
    assert "Reason" not in second.body


def test_at_most_five_e_mails_an_hour_and_the_sixth_sums_up_the_others(happens, mailoutbox):
    happens(count=7)
    happens(Kind.REUSE, at=AT + timedelta(minutes=1), ip_address="192.0.2.9")

    assert [write_emails(AT), write_emails(AT + timedelta(minutes=59))] == [5, 0]
    assert mails() == [Mail.SENT] * 5 + [Mail.HELD] * 3

    assert write_emails(AT + timedelta(minutes=61)) == 1
    said = words(mailoutbox[5])
    assert mailoutbox[5].subject.endswith("More happened in your account")
    assert "2 more sign-ins from new devices or networks 1 more session was ended" in said
    assert "The newest: When: Dec. 1, 2026, 11:41 UTC" in said
    assert "IP address: 192.0.2.9" in said
    assert set(mails()) == {Mail.SENT}


def test_the_limit_counts_a_summary_as_one_e_mail_and_other_accounts_not_at_all(
    happens, user, mailoutbox
):
    other = UserFactory()
    happens(count=9)
    write_emails(AT)
    later = AT + timedelta(minutes=61)
    happens(count=5)
    Activity.objects.create(user=other, kind=Kind.SIGN_IN, at=AT, session_id="o", mail=Mail.WAITING)

    assert write_emails(later) == 6

    assert [message.to for message in mailoutbox[5:]].count([user.email]) == 5
    assert mails().count(Mail.HELD) == 1


def test_an_e_mail_that_cannot_be_sent_now_waits_and_does_not_stop_others(happens, mailoutbox):
    happens(count=2)
    send, failures = EmailMessage.send, [SMTPServerDisconnected]

    def fail_once(message, *args):
        if failures:
            raise failures.pop()
        return send(message, *args)

    with patch.object(EmailMessage, "send", fail_once):
        assert write_emails(AT) == 1

    assert mails() == [Mail.WAITING, Mail.SENT]
    assert write_emails(AT) == 1


def test_an_impossible_address_is_given_up(happens, mailoutbox):
    happens()

    with patch.object(EmailMessage, "send", side_effect=UnicodeError):
        assert write_emails(AT) == 0

    assert mails() == [Mail.NONE]


def test_a_deactivated_account_gets_none(happens, user, mailoutbox):
    type(user).objects.update(is_active=False)
    happens()

    assert write_emails(AT) == 0
    assert mails() == [Mail.NONE]
