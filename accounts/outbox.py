"""The outbox: e-mails wait in the database, and are sent beside the requests.

A request never waits for the mail server, and an e-mail stays in the outbox until the server has
accepted it. The tables are django-post-office's. Sending is written here instead of calling its
`send_queued()`, whose lock is a file with the number of a process: after a kill, a restarted
container can have a process of the same number, and nothing would be sent again. Here, each e-mail
is leased to its sender by one UPDATE, on any number of machines, and no lock is held while the mail
server is slow.

What the reader gets, codes and links included, is encrypted. The other columns are for the admin.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.mime.base import MIMEBase
from email.policy import Policy, compat32
from email.utils import formatdate, make_msgid, parseaddr
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.dispatch import Signal
from django.utils import timezone
from post_office.models import PRIORITY, STATUS, Email, Log
from post_office.signals import email_queued

from .encryption import fernet

logger = logging.getLogger(__name__)

email_failed = Signal()  # sent when an attempt to send an e-mail failed, for other apps

# How long an e-mail belongs to its sender. Longer than a mail server can take, whose answers are
# each waited for EMAIL_TIMEOUT. The e-mail of a killed process is sent again after it.
LEASE = timedelta(minutes=2)
# After 1, 2, 4, 8, 16 and then every 30 minutes, for about a day.
LONGEST_PAUSE = timedelta(minutes=30)
ATTEMPTS = 50
KEEP_FAILED = timedelta(days=30)

WAITING = (STATUS.queued, STATUS.requeued)
# The server answers, and refuses this e-mail. After any other error, others would fail as well.
REFUSED = (SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused, ValueError)


class EmailBackend(BaseEmailBackend):
    """Puts e-mails into the outbox.

    The library's own backend renders texts as templates, and writes attachments to files.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue the e-mails. One with the attribute `expires_at` is not sent after that time."""
        queued = [
            Email(
                from_email=message.from_email[: Email._meta.get_field("from_email").max_length],
                to=message.to,
                cc=message.cc,
                bcc=message.bcc,
                subject=str(message.subject)[: Email._meta.get_field("subject").max_length],
                message=_sealed(message),
                status=STATUS.queued,
                priority=PRIORITY.medium,
                expires_at=getattr(message, "expires_at", None),
            )
            for message in email_messages
            if message.recipients()
        ]
        Email.objects.bulk_create(queued)
        if queued:
            email_queued.send(sender=Email, emails=queued)
        return len(queued)


def waiting() -> QuerySet[Email]:
    found: QuerySet[Email] = Email.objects.filter(status__in=WAITING)
    return found


def failed() -> QuerySet[Email]:
    found: QuerySet[Email] = Email.objects.filter(status=STATUS.failed)
    return found


def counts() -> dict[str, int]:
    """Return how many e-mails wait, and how many have failed. One statement."""
    return Email.objects.aggregate(  # type: ignore[no-any-return]
        waiting=Count("pk", filter=Q(status__in=WAITING)),
        failed=Count("pk", filter=Q(status=STATUS.failed)),
    )


def send_waiting() -> int:
    """Send the e-mails that are due; return how many were sent.

    An e-mail that cannot be sent is tried again later. If the mail server does not answer, the rest
    waits for the next call, so a call takes as long as one attempt. A process may be killed at any
    time: its e-mail is then sent by a later call, perhaps for the second time, with the same
    Message-ID.
    """
    _give_up_expired()
    failed().filter(last_updated__lt=timezone.now() - KEEP_FAILED).delete()
    sent = 0
    connection = get_connection(settings.EMAIL_DELIVERY_BACKEND)
    try:
        while queued := _lease():
            try:
                message = _unsealed(queued.message)
                connection.open()
                connection.send_messages([message])
            except Exception as error:  # each backend raises its own
                connection.close()
                _record_failure(queued, error)
                if not isinstance(error, REFUSED):
                    break
            else:
                queued.delete()
                sent += 1
    finally:
        connection.close()
    return sent


def send_again(queryset: QuerySet[Email]) -> int:
    """Let failed e-mails be sent again, unless their codes have expired; return how many."""
    living = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    again = {"status": STATUS.queued, "scheduled_time": None, "number_of_retries": 0}
    chosen = list(queryset.filter(living, status=STATUS.failed))
    count = failed().filter(pk__in=[each.pk for each in chosen]).update(**again)
    if count:
        email_queued.send(sender=Email, emails=chosen)
    return count


def _lease() -> Email | None:
    """Return the next e-mail that is due. No other sender gets it before the end of the lease."""
    while True:
        now = timezone.now()
        due = waiting().filter(
            Q(scheduled_time=None) | Q(scheduled_time__lte=now),
            Q(expires_at=None) | Q(expires_at__gt=now),
        )
        found: Email | None = due.order_by("pk").first()
        if found is None:
            return None
        # A leased e-mail is not due, so of two senders, one updates no row.
        if due.filter(pk=found.pk).update(
            scheduled_time=now + LEASE,
            number_of_retries=Coalesce(F("number_of_retries"), 0) + 1,
            last_updated=now,
        ):
            found.number_of_retries = (found.number_of_retries or 0) + 1
            return found


def _record_failure(queued: Email, error: Exception) -> None:
    """Plan the next attempt, or give up."""
    attempts = queued.number_of_retries
    gives_up = attempts >= ATTEMPTS or _is_permanent(error)
    logger.error(
        "the e-mail %d could not be sent, attempt %d: %s",
        queued.pk,
        attempts,
        "given up" if gives_up else "it will be tried again",
        exc_info=error,
    )
    now = timezone.now()
    pause = min(timedelta(minutes=2 ** min(attempts - 1, 10)), LONGEST_PAUSE)
    # Unless the lease has ended, and another sender has it.
    if (
        waiting()
        .filter(pk=queued.pk, number_of_retries=attempts)
        .update(
            status=STATUS.failed if gives_up else STATUS.requeued,
            scheduled_time=None if gives_up else now + pause,
            last_updated=now,
        )
    ):
        _log(queued, type(error).__name__, str(error))


def _is_permanent(error: Exception) -> bool:
    """Return whether another attempt would fail as well: the address or the key is wrong."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  # see fernet()

    if isinstance(error, SMTPRecipientsRefused):
        return min(code for code, _answer in error.recipients.values()) >= 500
    return isinstance(error, (ValueError, InvalidToken))


def _give_up_expired() -> None:
    """Mark e-mails as failed whose codes or links have expired before they could be sent."""
    now = timezone.now()
    for each in waiting().filter(expires_at__lte=now):
        if (
            waiting()
            .filter(pk=each.pk)
            .update(status=STATUS.failed, scheduled_time=None, last_updated=now)
        ):
            _log(each, "Expired", "Its code or link expired before it could be sent.")


def _log(queued: Email, kind: str, text: str) -> None:
    Log.objects.create(email=queued, status=STATUS.failed, exception_type=kind, message=text[:1000])
    email_failed.send_robust(None)


def _sealed(message: EmailMessage) -> str:
    """Return the e-mail, encrypted. Its Message-ID and date are the same at each attempt."""
    # The sender's domain. The default is this machine's name, by a look-up that can hang.
    domain = parseaddr(message.from_email)[1].rpartition("@")[2] or "localhost"
    headers = {"Message-ID": make_msgid(domain=domain), "Date": formatdate()}
    parts = {
        "subject": str(message.subject),
        "body": str(message.body),
        "from_email": message.from_email,
        **{name: [*map(str, getattr(message, name))] for name in ("to", "cc", "bcc", "reply_to")},
        "headers": headers | {name: str(value) for name, value in message.extra_headers.items()},
        "content_subtype": message.content_subtype,
        "alternatives": [
            (str(content), kind) for content, kind in getattr(message, "alternatives", ())
        ],
        "attachments": [_packed(attachment) for attachment in message.attachments],
    }
    return str(fernet(__name__).encrypt(json.dumps(parts).encode()).decode())


def _unsealed(text: str) -> EmailMessage:
    """Return the e-mail of `_sealed()`.

    Raises:
        InvalidToken: no key decrypts it.
    """
    parts = json.loads(fernet(__name__).decrypt(text.encode()))
    subtype, attachments = parts.pop("content_subtype"), parts.pop("attachments")
    message = EmailMultiAlternatives(**parts)
    message.content_subtype = subtype
    for attachment in attachments:
        message.attach(*_unpacked(*attachment))
    return message


def _packed(attachment: Any) -> tuple[str | None, str, str | None]:
    """Return an attachment for JSON: its name, its content in Base64, and its type.

    One that is a MIME part has neither name nor type, because its content has both.
    """
    if isinstance(attachment, Message):
        return None, b64encode(attachment.as_bytes()).decode(), None
    name, content, kind = attachment
    raw = content.encode() if isinstance(content, str) else content
    return name, b64encode(raw).decode(), kind or "application/octet-stream"


def _unpacked(name: str | None, content: str, kind: str | None) -> tuple[Any, ...]:
    raw = b64decode(content)
    if kind is None:
        return (message_from_bytes(raw, _class=_Part),)
    return name, raw, kind


class _Part(MIMEBase):
    """A MIME part that is read again. EmailMessage asks for this class."""

    def __init__(self, policy: Policy = compat32) -> None:
        Message.__init__(self, policy)
