"""Hooks for other apps, and the log of what happened. The project's own flow never listens.

Each event is sent once its statement is committed, and is one line in the log of the same name.
Sessions that one statement ended are one line, with their number as `sessions`; each is still an
event of its own for receivers. A receiver that raises is logged and changes nothing: a hook
cannot keep anybody from signing in or out. Those of one session tell `session_id` and `user_id`,
none of them a token:

- `token_issued`: a session was opened.
- `token_refreshed(generation)`: a session moved on to that generation.
- `token_blacklisted(reason, by_id)`: a session was ended.
- `token_reused(generation)`: a token of that older generation came back: it, or the one that
  replaced it, is in other hands.
- `token_repeated(generation)`: a refresh whose answer was lost was asked for again.
- `token_refused(code)`: a request was answered 401; nothing else is known of it.
- `tokens_flushed(outstanding, blacklisted)`: so many rows of the lists were over and are gone.

`signed_out_everywhere(users)` is a plain signal: the admin or `endsessions` ends every session of
`users`, a queryset. Receivers end the sessions that the site keeps elsewhere, such as Django's
own. The admin sends it inside the transaction: there, an exception rolls everything back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models import Model
from django.dispatch import Signal

logger = logging.getLogger("token_blacklist.events")


class Event(Signal):
    """A signal that is also a line in the log."""

    def __init__(self, name: str, level: int = logging.INFO) -> None:
        super().__init__()
        self.name = name
        self.level = level

    def announce(self, sender: type[Model], **facts: Any) -> None:
        """Log and send after the commit of the sender's table, or at once in autocommit."""
        using = router.db_for_write(sender)
        transaction.on_commit(partial(self.tell, sender, **facts), using=using)

    def announce_many(
        self, sender: type[Model], count: int, each: Iterable[dict[str, Any]], **facts: Any
    ) -> None:
        """As `announce`, for `count` sessions: one line in the log, and an event for each.

        `each` has what differs from session to session.
        """

        def tell() -> None:
            self._log(sessions=count, **facts)
            for own in each:
                self.send_robust(sender, **own, **facts)

        if count:
            transaction.on_commit(tell, using=router.db_for_write(sender))

    def tell(self, sender: type, **facts: Any) -> None:
        """Log and send at once."""
        self._log(**facts)
        self.send_robust(sender, **facts)

    def _log(self, **facts: Any) -> None:
        if logger.isEnabledFor(self.level):
            line = " ".join(f"{name}={value}" for name, value in facts.items())
            logger.log(self.level, "%s %s", self.name, line, extra={"event": self.name, **facts})


token_issued = Event("token_issued")
token_refreshed = Event("token_refreshed")
token_repeated = Event("token_repeated")
token_blacklisted = Event("token_blacklisted")
token_reused = Event("token_reused", logging.WARNING)
token_refused = Event("token_refused", logging.DEBUG)
tokens_flushed = Event("tokens_flushed")
signed_out_everywhere = Signal()
