"""`FeedAuthentication`, for a service that accepts another site's tokens and has no users.

It needs no database. It verifies tokens with the public keys (JWKS_URL) of the issuing site, and
refuses ended sessions, which it reads from that site's revocation feed (FEED_URL) within a second.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from typing import Any

from django.core.signals import setting_changed
from django.utils.translation import gettext_lazy as _

from ..authentication import JWTStatelessUserAuthentication
from ..exceptions import InvalidToken, TokenError, Unavailable
from ..tokens import SESSION_CLAIM, Token
from .feed_reader import FeedReader
from .options import conf


@lru_cache(maxsize=4)
def reader_of(url: str, client: str, max_silence: float, leeway: int, process: int) -> FeedReader:
    """Return the reader of a process. A fork has none of its threads and may inherit held locks."""
    return FeedReader(url, client, max_silence, leeway)


def _forget(**kwargs: Any) -> None:
    reader_of.cache_clear()


setting_changed.connect(_forget, dispatch_uid="token_blacklist.services.authentication")


class FeedAuthentication(JWTStatelessUserAuthentication):
    """Authenticates by the token alone, and refuses sessions that the feed lists as ended.

    If the feed has been silent for FEED_MAX_SILENCE, every request gets 503. With FEED_FAILS_OPEN,
    the tokens are then accepted as if no session had ended.
    """

    def get_user(self, validated_token: Token | Mapping[str, Any]) -> Any:
        user = super().get_user(validated_token)
        session = validated_token.get(SESSION_CLAIM)
        silence, leeway = conf.FEED_MAX_SILENCE.total_seconds(), ceil(conf.LEEWAY.total_seconds())
        reader = reader_of(conf.FEED_URL, conf.FEED_CLIENT, silence, leeway, os.getpid())
        has_ended = reader.has_ended(str(session))
        if reader.is_silent() and not conf.FEED_FAILS_OPEN:
            raise Unavailable
        if has_ended:
            raise InvalidToken.because(TokenError(_("Token is blacklisted")))
        return user
