"""Signals for other apps. Each one is also logged. The app itself connects no receivers.

An event is sent after its transaction commits, and logged under its name: as a line of its own, or,
inside `collected()`, in the line that a site writes for the request. If one statement ends
several sessions, the log has one line with their number as `sessions`, and receivers get one event
per session. An exception in a receiver is logged and changes nothing, so a receiver cannot
prevent a sign-in or sign-out. Events of a session have `session_id` and `user_id`, never a token:

- `token_issued`: a session was opened.
- `token_refreshed(generation)`: a session advanced to that generation.
- `token_blacklisted(reason, by_id)`: a session was ended.
- `token_reused(generation, ip_address, user_agent)`: that client sent an old token of that
  generation, so two clients have tokens of the session.
- `token_repeated(generation, ip_address, user_agent)`: a client repeated a refresh because the
  response was lost.
- `token_refused(code)`: a request was answered with 401.
- `tokens_flushed(outstanding, blacklisted)`: the flush deleted this many rows of the two lists.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models import Model
from django.dispatch import Signal

logger = logging.getLogger("token_blacklist.events")


class Event(Signal):
    """A signal that is also logged."""

    def __init__(self, name: str, level: int = logging.INFO) -> None:
        super().__init__()
        self.name = name
        self.level = level

    def announce(self, sender: type[Model], **facts: Any) -> None:
        """Log and send after the commit, or immediately in autocommit mode."""
        using = router.db_for_write(sender)
        transaction.on_commit(partial(self.log_and_send, sender, **facts), using=using)

    def announce_many(
        self, sender: type[Model], count: int, each: Iterable[dict[str, Any]], **facts: Any
    ) -> None:
        """Log once for `count` sessions, and send an event for each item of `each`."""

        def send() -> None:
            self._log(sessions=count, **facts)
            for own in each:
                self.send_robust(sender, **own, **facts)

        if count:
            transaction.on_commit(send, using=router.db_for_write(sender))

    def log_and_send(self, sender: type, **facts: Any) -> None:
        """Log and send immediately."""
        self._log(**facts)
        self.send_robust(sender, **facts)

    def _log(self, **facts: Any) -> None:
        if not logger.isEnabledFor(self.level):
            return
        events = _collected.get()
        if events is None or self.level != logging.INFO:
            LoggedEvent(self, facts).log()
        else:
            events.append(LoggedEvent(self, facts))


@dataclass(frozen=True)
class LoggedEvent:
    """An event that is to be logged, with its facts."""

    event: Event
    facts: dict[str, Any]

    def __str__(self) -> str:
        facts = " ".join(f"{name}={_shown(value)}" for name, value in self.facts.items())
        return f"{self.event.name} {facts}"

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of its line: its name as `event`, and its facts."""
        return {"event": self.event.name, **self.facts}

    def log(self) -> None:
        logger.log(self.event.level, "%s", self, extra=self.fields)


_collected: ContextVar[list[LoggedEvent] | None] = ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[list[LoggedEvent]]:
    """Collect the events inside the block, to be logged at its end.

    Those that are taken out of the list are not: another line has them. Only events of level INFO
    wait. A warning, which somebody may be alerted by, is always a line of its own, and at once.
    """
    events: list[LoggedEvent] = []
    before = _collected.set(events)
    try:
        yield events
    finally:
        _collected.reset(before)
        for each in events:
            each.log()


def _shown(value: Any) -> str:
    """Return the value, quoted if it has spaces, so that a user agent cannot imitate a field."""
    text = str(value)
    return text if text.isprintable() and text and " " not in text else repr(text)


token_issued = Event("token_issued")
token_refreshed = Event("token_refreshed")
token_repeated = Event("token_repeated")
token_blacklisted = Event("token_blacklisted")
token_reused = Event("token_reused", logging.WARNING)
token_refused = Event("token_refused", logging.DEBUG)
tokens_flushed = Event("tokens_flushed")
