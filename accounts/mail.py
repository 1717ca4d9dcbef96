"""Sending e-mails to users."""

from __future__ import annotations

import logging
from threading import BoundedSemaphore, Event

from django.conf import settings
from django.core.mail import send_mail
from django.dispatch import Signal
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

email_failed = Signal()  # for other apps, once an e-mail could not be sent

# A mail server that hangs holds each thread that sends to it for EMAIL_TIMEOUT. With all of them
# there, none would be left for other requests.
AT_ONCE = 2
PATIENCE = 1.0  # seconds to wait for a place: a server that works sends in less
_places = BoundedSemaphore(AT_ONCE)
_hangs = Event()  # set when no place became free in time, until an e-mail is sent


def write_to(email: str, subject: object, template: str, site: str, **context: object) -> bool:
    """Send `accounts/email/<template>.txt`; return whether it was sent.

    `site` is the address of the home page.

    The text contains no input, because anybody can cause an e-mail to any address. A failure is
    logged and raises nothing, because another response would reveal which addresses have accounts.
    At most AT_ONCE are sent at the same time; while the mail server hangs, others are not sent.
    """
    context |= {"email": email, "site": site, "site_name": settings.SITE_NAME}
    text = render_to_string(f"accounts/email/{template}.txt", context)
    if not _places.acquire(timeout=0 if _hangs.is_set() else PATIENCE):
        _hangs.set()
        logger.error(
            "the e-mail %r was not sent: %d others wait for the mail server", template, AT_ONCE
        )
        email_failed.send_robust(None)
        return False
    try:
        send_mail(str(subject), text, None, [email])
        _hangs.clear()
    # ValueError: no e-mail can have this address, for example a domain without an IDNA form.
    except (OSError, ValueError):
        logger.exception("the e-mail %r could not be sent", template)
        email_failed.send_robust(None)
        return False
    else:
        return True
    finally:
        _places.release()
