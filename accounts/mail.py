"""Sending the accounts' e-mails."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore, Event
from typing import Any

from allauth.account import app_settings
from django.conf import settings
from django.core.mail import EmailMessage
from django.dispatch import Signal
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.timesince import timesince

logger = logging.getLogger(__name__)

email_failed = Signal()  # for other apps, once an e-mail could not be sent

# A mail server that hangs holds each thread that sends to it for EMAIL_TIMEOUT. With all of them
# there, none would be left for other requests.
AT_ONCE = 2
PATIENCE = 1.0  # seconds to wait for a place: a server that works sends in less
_places = BoundedSemaphore(AT_ONCE)
_hangs = Event()  # set when no place became free in time, until an e-mail is sent


def deliver(message: EmailMessage, name: str) -> bool:
    """Send an e-mail; return whether it was sent. `name` is for the log.

    A failure is logged and raises nothing, because another response would reveal which addresses
    have accounts. At most AT_ONCE are sent at the same time; while the mail server hangs, others
    are not sent.
    """
    if not _places.acquire(timeout=0 if _hangs.is_set() else PATIENCE):
        _hangs.set()
        logger.error(
            "the e-mail %r was not sent: %d others wait for the mail server", name, AT_ONCE
        )
        email_failed.send_robust(None)
        return False
    try:
        message.send()
        _hangs.clear()
    # ValueError: no e-mail can have this address, for example a domain without an IDNA form.
    except (OSError, ValueError):
        logger.exception("the e-mail %r could not be sent", name)
        email_failed.send_robust(None)
        return False
    else:
        return True
    finally:
        _places.release()


def lifetime(name: str, facts: dict[str, Any]) -> str:
    """Return how long the code or link of an e-mail works, in the reader's language: "1 hour"."""
    verifies = name.startswith("account/email/email_confirmation")
    if verifies and "code" not in facts:
        span = timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)
    else:
        span = timedelta(seconds=_seconds(name))
    now = timezone.now()
    return timesince(now - span, now)


def _seconds(name: str) -> int:
    timeouts: dict[str, int] = {
        "account/email/login_code": app_settings.LOGIN_BY_CODE_TIMEOUT,
        "account/email/password_reset_code": app_settings.PASSWORD_RESET_BY_CODE_TIMEOUT,
        "account/email/password_reset_key": settings.PASSWORD_RESET_TIMEOUT,
    }
    return int(timeouts.get(name, app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT))


@dataclass(frozen=True)
class Line:
    """A line of an e-mail. Only a line that is a link becomes one: no word of a user does."""

    text: str
    is_code: bool

    @property
    def is_link(self) -> bool:
        return self.text.startswith(("https://", "http://"))


def as_html(message: EmailMessage, code: str | None = None) -> str:
    """Return the text of an e-mail as HTML, by templates/account/email/base.html."""
    blocks = [block.splitlines() for block in str(message.body).split("\n\n") if block.strip()]
    paragraphs = [[Line(text, is_code=text == code) for text in lines] for lines in blocks]
    context = {"subject": message.subject, "paragraphs": paragraphs}
    return render_to_string("account/email/base.html", context).strip()
