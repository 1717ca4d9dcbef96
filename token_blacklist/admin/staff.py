"""Which sessions a member of staff may end: none of other staff, whom it would lock out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

ONLY_SUPERUSERS = _("Only a superuser can end sessions of staff.")


def may_end_sessions_of(user: Any, by: Any) -> bool:
    """Return whether `by` may end sessions of the user, or of nobody (None).

    Only superusers may end those of staff; everybody may end their own. If the user model has no
    `is_superuser`, everybody with the permission may end every session.
    """
    if user is None or user.pk == by.pk or getattr(by, "is_superuser", True):
        return True
    return not (getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


def left_out(sessions: int) -> str:
    """Return that so many sessions were left out, and why, or ""."""
    if not sessions:
        return ""
    text = ngettext(
        "%(count)d session of staff left out. Only a superuser can end it.",
        "%(count)d sessions of staff left out. Only a superuser can end them.",
        sessions,
    )
    return text % {"count": sessions}
