"""Sends errors to Sentry if SENTRY_DSN is set, without data of the client."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from .logs import QUERY, without_secrets


def start_sentry() -> None:
    """Start Sentry if SENTRY_DSN is set."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk  # noqa: PLC0415  # not in requirements.txt

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,  # passwords and tokens are among them
        max_breadcrumbs=0,
        before_send=without_request,
    )


def without_request(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Return the event with only the method of its request, and without secrets in its texts.

    The URL is removed as well, because a password reset link is a secret.
    """
    if "request" in event:
        event["request"] = {"method": event["request"].get("method")}
    cleaned: dict[str, Any] = _cleaned(event)
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return QUERY.sub(r"\1?[query]", without_secrets(value))
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
