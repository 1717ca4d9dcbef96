"""Sending e-mails, and rendering them as HTML."""

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

email_failed = Signal()  # sent when an e-mail could not be sent, for other apps

# A mail server that hangs blocks each sending thread for EMAIL_TIMEOUT. Without a limit, it could
# block all threads, and no other request would be answered.
MAX_SENDING = 2
MAX_WAIT_SECONDS = 1.0  # for a free slot; a working mail server takes less
_slots = BoundedSemaphore(MAX_SENDING)
_server_hangs = Event()  # set when no slot became free in time; cleared when an e-mail is sent


def deliver(message: EmailMessage, name: str) -> bool:
    """Send an e-mail; return whether it was sent. `name` is for the log.

    A failure is logged and not raised, because an error response would reveal which addresses have
    accounts. At most MAX_SENDING are sent at the same time. While the mail server hangs, further
    e-mails are dropped.
    """
    if not _slots.acquire(timeout=0 if _server_hangs.is_set() else MAX_WAIT_SECONDS):
        _server_hangs.set()
        logger.error(
            "the e-mail %r was not sent: %d others wait for the mail server", name, MAX_SENDING
        )
        email_failed.send_robust(None)
        return False
    try:
        message.send()
        _server_hangs.clear()
    # ValueError: the address is impossible in an e-mail, for example a domain without IDNA form.
    except (OSError, ValueError):
        logger.exception("the e-mail %r could not be sent", name)
        email_failed.send_robust(None)
        return False
    else:
        return True
    finally:
        _slots.release()


def lifetime(name: str, facts: dict[str, Any]) -> str:
    """Return how long the code or link in an e-mail is valid, in the active language: "1 hour"."""
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
    """A line of an e-mail. Only a line that starts with a URL becomes a link.

    A URL inside of a user's text therefore does not.
    """

    text: str
    is_code: bool

    @property
    def is_link(self) -> bool:
        return self.text.startswith(("https://", "http://"))


def as_html(message: EmailMessage, code: str | None = None) -> str:
    """Render the text of an e-mail as HTML with templates/account/email/base.html."""
    blocks = [block.splitlines() for block in str(message.body).split("\n\n") if block.strip()]
    paragraphs = [[Line(text, is_code=text == code) for text in lines] for lines in blocks]
    context = {"subject": message.subject, "paragraphs": paragraphs}
    return render_to_string("account/email/base.html", context).strip()
