"""What `manage.py check --deploy` reminds of beyond Django's own checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


@checks.register(deploy=True)
def check_proxy(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn of a site without a proxy: a few slow clients would occupy all threads of gunicorn."""
    if settings.DEBUG or settings.NUM_PROXIES:
        return []
    return [
        checks.Warning(
            "NUM_PROXIES is 0, and gunicorn needs a proxy in front that buffers requests and "
            "responses.",
            hint="Set NUM_PROXIES to the number of your proxies. See docs/deployment.md.",
            id="config.W001",
        )
    ]


@checks.register(deploy=True)
def check_verification(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn if nobody could sign up, because the code that verifies an address is not sent."""
    backend = settings.EMAIL_DELIVERY_BACKEND
    sends_none = backend == "django.core.mail.backends.dummy.EmailBackend"
    if not sends_none or settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
        return []
    return [
        checks.Warning(
            "Nobody can sign up: a new user needs a code from an e-mail, and EMAIL_URL sends none.",
            hint="Set EMAIL_URL to a mail server, or ACCOUNT_EMAIL_VERIFICATION to none.",
            id="config.W002",
        )
    ]
