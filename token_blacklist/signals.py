"""Hooks for other apps. The project's own flow never listens to them.

Each is sent once its statement is committed, and a receiver that raises is logged and
changes nothing: a hook cannot keep anybody from signing in or out.

- `token_issued(record, user)`: a session was opened.
- `token_refreshed(session_id, generation)`: a session moved on to that generation.
- `token_blacklisted(record, reason, by)`: a session was ended.
- `token_reused(record, generation)`: a token of that older generation came back: it, or
  the one that replaced it, is in other hands.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

token_issued = Signal()
token_refreshed = Signal()
token_blacklisted = Signal()
token_reused = Signal()


def announce(signal: Signal, sender: type, **facts: Any) -> None:
    """Send the signal after the commit, or at once in autocommit; receivers' errors are logged."""
    if signal.receivers:
        transaction.on_commit(partial(signal.send_robust, sender=sender, **facts))
