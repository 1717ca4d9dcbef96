"""What every template needs to know of the site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the name and the accent colour of the product, and whether users can sign up."""
    return {
        "site_name": settings.SITE_NAME,
        "accent": settings.ACCENT_COLOR.removeprefix("#"),
        "signup_is_open": settings.ACCOUNT_SIGNUP_ENABLED,
    }
