"""The e-mails that are sent to people."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.dispatch import Signal
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

email_failed = Signal()  # for other apps, once an e-mail could not be sent


def write_to(email: str, subject: object, template: str, site: str, **context: object) -> None:
    """Send `accounts/email/<template>.txt`; `site` is the address of the home page.

    It says nothing that a stranger typed, because anybody can have it sent to anybody. One that
    cannot be sent is logged and not an error: an answer of its own would tell which addresses
    are known.
    """
    context |= {"email": email, "site": site, "site_name": settings.SITE_NAME}
    text = render_to_string(f"accounts/email/{template}.txt", context)
    try:
        send_mail(str(subject), text, None, [email])
    # ValueError: an address that no e-mail can be addressed to, as a domain without an IDNA form.
    except (OSError, ValueError):
        logger.exception("the e-mail %r could not be sent", template)
        email_failed.send_robust(None)
