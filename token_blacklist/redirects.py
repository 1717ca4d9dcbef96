"""A check that a redirect target is a path of this site."""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme


def own_path(page: str | None) -> str:
    """Return the page if it is a path of this site, else "".

    Django's check alone also accepts relative paths, and needs the host for absolute URLs.
    """
    is_own = page and page.startswith("/") and url_has_allowed_host_and_scheme(page, None)
    return page if page and is_own else ""
