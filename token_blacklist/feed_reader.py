"""The reader of the revocation feed, for a service that verifies tokens itself.

`FeedAuthentication` needs no database. It verifies by the public keys (JWKS_URL), and refuses the
sessions that the feed of the issuing site (FEED_URL) names, within a second after they ended.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.core.signals import setting_changed
from django.utils.translation import gettext_lazy as _

from .authentication import JWTStatelessUserAuthentication
from .conf import conf
from .exceptions import InvalidToken, TokenError, Unavailable
from .tokens import SESSION_CLAIM, Token

logger = logging.getLogger(__name__)

# Seconds from one request to the next. With `wait`, there would be fewer requests, but each process
# of each service would occupy a thread of the issuing site all the time.
PAUSE = 0.5
FORGET_EVERY = 10.0  # seconds
RETRY = 1.0  # seconds after a request that failed
FIRST_ANSWER = 5.0  # seconds that the first requests of a process wait for the window


class FeedReader:
    """Reads the feed in a thread of this process, from the first question on.

    It keeps the sessions that ended within the feed's window, and starts with all of them.
    """

    def __init__(self, url: str, client: str, max_silence: float) -> None:
        self.url, self.max_silence = url, max_silence
        self.authorization = f"Basic {b64encode(client.encode()).decode()}"
        self.ended: dict[str, float] = {}  # session id: when it can be forgotten
        self.forget_at = 0.0
        self.cursor = ""
        self.answered_at = 0.0
        self.has_answered = threading.Event()
        self.lock = threading.Lock()
        self.pid = 0

    def has_ended(self, session_id: str) -> bool:
        """Return whether the feed has named the session as ended."""
        self._start()
        if not self.answered_at:
            self.has_answered.wait(FIRST_ANSWER)
        return session_id in self.ended

    def is_silent(self) -> bool:
        """Return whether the feed has not answered for `max_silence` seconds, or never."""
        return not self.answered_at or time.monotonic() - self.answered_at > self.max_silence

    def _start(self) -> None:
        # A server may import this before it forks, and a fork has no threads.
        if self.pid != os.getpid():
            with self.lock:
                if self.pid != os.getpid():
                    self.pid = os.getpid()
                    threading.Thread(target=self._read_on, daemon=True).start()

    def _read_on(self) -> None:
        is_well = True
        while True:
            try:
                self._keep(self._ask())
            except (OSError, ValueError, KeyError, TypeError) as error:
                if is_well:
                    logger.warning("the revocation feed does not answer: %s", type(error).__name__)
                is_well = False
                time.sleep(RETRY)
                continue
            if not is_well:
                logger.warning("the revocation feed answers again")
            is_well = True
            time.sleep(PAUSE)

    def _ask(self) -> Any:
        query = urlencode({"after": self.cursor})
        request = urllib.request.Request(  # noqa: S310  # of the settings
            f"{self.url}?{query}", headers={"Authorization": self.authorization}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def _keep(self, told: Any) -> None:
        now = time.monotonic()
        until = now + float(told["window"])
        self.ended.update((str(sid), until) for sid in told["revoked"])
        if now >= self.forget_at:
            self.forget_at = now + FORGET_EVERY
            self.ended = {sid: end for sid, end in self.ended.items() if end > now}
        self.cursor = str(told["cursor"])
        self.answered_at = now
        self.has_answered.set()


@lru_cache(maxsize=4)
def reader_of(url: str, client: str, max_silence: float) -> FeedReader:
    return FeedReader(url, client, max_silence)


def _forget(**kwargs: Any) -> None:
    reader_of.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.feed_reader")


class FeedAuthentication(JWTStatelessUserAuthentication):
    """Authenticates by the token alone, and refuses sessions that the feed names as ended.

    If the feed has been silent for FEED_MAX_SILENCE, every request is 503, or with FEED_FAILS_OPEN
    authenticated as if no session had ended.
    """

    def get_user(self, validated_token: Token | Mapping[str, Any]) -> Any:
        user = super().get_user(validated_token)
        session = validated_token.get(SESSION_CLAIM)
        silence = conf.FEED_MAX_SILENCE.total_seconds()
        reader = reader_of(conf.FEED_URL, conf.FEED_CLIENT, silence)
        has_ended = reader.has_ended(str(session))
        if reader.is_silent() and not conf.FEED_FAILS_OPEN:
            raise Unavailable
        if has_ended:
            raise InvalidToken.because(TokenError(_("Token is blacklisted")))
        return user
