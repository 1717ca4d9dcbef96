"""Only superusers may end the sessions of staff, so that staff cannot lock each other out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

ONLY_SUPERUSERS = _("Only a superuser can end sessions of staff.")


def may_end_sessions_of(user: Any, by: Any) -> bool:
    """Return whether the user `by` may end sessions of `user`, who is None if deleted.

    Only superusers may end those of other staff. If the user model has no `is_superuser`, all users
    with the permission may end every session.
    """
    if user is None or user.pk == by.pk or getattr(by, "is_superuser", True):
        return True
    return not (getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


def left_out_message(sessions: int) -> str:
    """Return a message that this many sessions of staff were left out, or "" for none."""
    if not sessions:
        return ""
    text = ngettext(
        "%(count)d session of staff left out. Only a superuser can end it.",
        "%(count)d sessions of staff left out. Only a superuser can end them.",
        sessions,
    )
    return text % {"count": sessions}
