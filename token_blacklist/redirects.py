"""Where a page may lead: to a path of this site, and nowhere else."""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme


def own_path(page: str | None) -> str:
    """Return the page if it is a path of this site, else "".

    Django's check alone accepts a relative path, and needs the host for an absolute URL.
    """
    is_own = page and page.startswith("/") and url_has_allowed_host_and_scheme(page, None)
    return page if page and is_own else ""
