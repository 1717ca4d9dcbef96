"""How long the code or link in an e-mail is valid, and rendering e-mails as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account import app_settings
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.timesince import timesince


def lifetime(name: str, facts: dict[str, Any]) -> str:
    """Return how long the code or link in an e-mail is valid, in the active language: "1 hour"."""
    span = _span(name, facts)
    if span is None:
        span = timedelta(seconds=app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT)
    now = timezone.now()
    return timesince(now - span, now)


def expiry(name: str, facts: dict[str, Any]) -> datetime | None:
    """Return when the code or link of an e-mail that is written now expires.

    None for an e-mail that has none.
    """
    span = _span(name, facts)
    return timezone.now() + span if span else None


def _span(name: str, facts: dict[str, Any]) -> timedelta | None:
    if name.startswith("account/email/email_confirmation"):
        if "code" not in facts:
            return timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)
        return timedelta(seconds=app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT)
    timeouts: dict[str, int] = {
        "account/email/login_code": app_settings.LOGIN_BY_CODE_TIMEOUT,
        "account/email/password_reset_code": app_settings.PASSWORD_RESET_BY_CODE_TIMEOUT,
        "account/email/password_reset_key": settings.PASSWORD_RESET_TIMEOUT,
    }
    return timedelta(seconds=timeouts[name]) if name in timeouts else None


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
