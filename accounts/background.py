"""Work beside the requests: telling owners what happened to their accounts, and sending e-mails.

The web process does it in one thread, or a scheduler by `manage.py sendemails`. Several processes
may do it at the same time.
"""

from __future__ import annotations

import logging
import random
import time
from threading import Event, Lock, Thread
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

# In this order: facts of sessions, then e-mails about them, then all e-mails.
STEPS = (
    "accounts.activity.collect",
    "accounts.notices.write_emails",
    "accounts.outbox.send_waiting",
)
EVERY = 30.0  # seconds between two rounds, unless one is asked for
# Seconds after a round, so that many sign-ins at once are one round.
PAUSE = 1.0

_wanted = Event()
_starting = Lock()
_thread: Thread | None = None


def start() -> None:
    """Start the thread of this process, unless it runs, or a scheduler does the work.

    Called by the server in the process that answers requests: a thread does not survive a fork.
    """
    global _thread  # noqa: PLW0603  # one for each process
    if _thread is not None or settings.EMAILS_SENT_BY != "web":
        return
    with _starting:
        if _thread is None:
            # Ends with the process, at whatever it does: each step can be cut off and repeated.
            _thread = Thread(target=_run, name="background", daemon=True)
            _thread.start()


def wake(**event: Any) -> None:
    """Ask for a round after this transaction. May be connected to a signal."""
    if _thread is not None:
        transaction.on_commit(_wanted.set)


def run_once() -> bool:
    """Do each step once. An exception is logged and does not stop the others.

    Return whether all steps succeeded.
    """
    succeeded = True
    for step in STEPS:
        try:
            import_string(step)()
        except Exception:
            logger.exception("%s failed", step)
            succeeded = False
    return succeeded


def _run() -> None:
    while True:
        _wanted.clear()
        run_once()
        # The database may be restarted before the next round.
        connections.close_all()
        time.sleep(PAUSE)
        # Not all processes in the same second.
        _wanted.wait(EVERY * random.uniform(0.8, 1.2))  # noqa: S311  # no secret
