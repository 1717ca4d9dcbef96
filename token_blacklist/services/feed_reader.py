"""Read the revocation feed in any Python program. Needs only the standard library.

In Django, `FeedAuthentication` uses it.
"""

from __future__ import annotations

import logging
import threading
import time
from base64 import b64encode
from http.client import BAD_REQUEST
from typing import Any
from urllib.parse import urlencode

from ..fetch import StatusError, fetch_json

logger = logging.getLogger(__name__)

POLL_INTERVAL = 0.5  # seconds from a response to the next request
RETRY_INTERVAL = 1.0  # seconds after a request that failed
TIMEOUT = 10.0  # seconds for one response
MAX_BYTES = 2**25  # of one response: a window with 900,000 sessions
FORGET_INTERVAL = 10.0  # seconds between two removals of old entries
FIRST_ANSWER_TIMEOUT = 5.0  # seconds that the first requests of a process wait for the window


class FeedReader:
    """Reads the feed in a thread, which the first call of `has_ended` starts.

    The first response has all sessions that ended within the feed's window, the next ones have new
    ones. `leeway` is how many seconds this service accepts a token after its expiry. It makes the
    window longer.
    """

    def __init__(self, url: str, client: str, max_silence: float, leeway: int = 0) -> None:
        self.url, self.max_silence, self.leeway = url, max_silence, leeway
        self.authorization = f"Basic {b64encode(client.encode()).decode()}"
        self.ended: dict[str, float] = {}  # session id: when it can be forgotten
        self.forget_at = 0.0
        self.cursor = ""
        self.answered_at = 0.0
        self.has_answered = threading.Event()
        self.failure: type[Exception] | None = None  # of the last request
        self.lock = threading.Lock()
        self.thread = threading.Thread()  # not started
        self.started_at = 0.0

    def has_ended(self, session_id: str) -> bool:
        """Return whether the feed has listed the session as ended."""
        self._start()
        if not self.answered_at:
            self.has_answered.wait(
                max(0.0, self.started_at + FIRST_ANSWER_TIMEOUT - time.monotonic())
            )
        return session_id in self.ended

    def is_silent(self) -> bool:
        """Return whether the feed has not answered for `max_silence` seconds, or never."""
        return not self.answered_at or time.monotonic() - self.answered_at > self.max_silence

    def _start(self) -> None:
        """Start the thread, unless one is alive."""
        if self.thread.is_alive():
            return
        with self.lock:
            if self.thread.is_alive():
                return
            self.started_at = self.started_at or time.monotonic()
            self.thread = threading.Thread(
                target=self._read_on, name="revocation feed", daemon=True
            )
            try:
                self.thread.start()
            except RuntimeError:  # the system has no thread for it; the next request tries again
                logger.exception("the revocation feed cannot be read")

    def _read_on(self) -> None:
        while True:
            time.sleep(POLL_INTERVAL if self.read_once() else RETRY_INTERVAL)

    def read_once(self) -> bool:
        """Ask the feed for new entries; return whether it answered.

        Every failure is logged, a repeated one without its traceback, and the reader tries again.
        """
        try:
            self._keep(self._fetch())
        except Exception as error:  # another server can send anything
            if type(error) is not self.failure:
                name = type(error).__name__
                logger.warning("the revocation feed does not answer: %s", name, exc_info=True)
            self.failure = type(error)
            if isinstance(error, StatusError) and error.status == BAD_REQUEST:
                self.cursor = ""  # it may be the reason, and would be forever
            return False
        if self.failure:
            logger.warning("the revocation feed answers again")
        self.failure = None
        return True

    def _fetch(self) -> Any:
        query = urlencode({"after": self.cursor, "leeway": self.leeway})
        headers = {"Authorization": self.authorization}
        return fetch_json(f"{self.url}?{query}", headers, seconds=TIMEOUT, most=MAX_BYTES)

    def _keep(self, response: Any) -> None:
        sessions, window, cursor = _checked(response)
        now = time.monotonic()
        self.ended.update(dict.fromkeys(sessions, now + window))
        if now >= self.forget_at:
            self.forget_at = now + FORGET_INTERVAL
            self.ended = {sid: end for sid, end in self.ended.items() if end > now}
        self.cursor = cursor
        self.answered_at = now
        self.has_answered.set()


def _checked(response: Any) -> tuple[list[str], int, str]:
    """Return the sessions, the window and the cursor in a response.

    Raises:
        KeyError, TypeError, ValueError: it is not a response of the feed.
    """
    sessions, window, cursor = response["revoked"], response["window"], response["cursor"]
    if not isinstance(sessions, list) or not all(isinstance(each, str) for each in sessions):
        raise TypeError("the sessions are not a list of texts")
    if type(window) is not int or window <= 0:  # True is an int
        raise ValueError("the window is not a number of seconds")
    if not isinstance(cursor, str):
        raise TypeError("the cursor is not a text")
    return sessions, window, cursor
