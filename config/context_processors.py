"""Template context: name and description, accent color, whether sign-up is open."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the context of all templates."""
    return {
        "site_name": settings.SITE_NAME,
        "site_description": settings.SITE_DESCRIPTION,
        "accent": settings.ACCENT_COLOR.removeprefix("#"),
        "signup_is_open": settings.ACCOUNT_SIGNUP_ENABLED,
    }
