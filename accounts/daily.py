"""What happens once a day, after the flush of the sessions, so that it needs no schedule."""

from __future__ import annotations

from typing import Any

from .activity import purge
from .deletion import delete_due


def delete_old(**kwargs: Any) -> None:
    """Delete old activities, and accounts at their users' request. Receives `tokens_flushed`."""
    purge()
    delete_due()
