"""The options of TOKEN_BLACKLIST that only `services/` reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ..conf import ADDRESS, FLAG, LIFETIME, Conf, Kind, Option, list_of, text
from ..sessions import flush

LONGEST_LEEWAY = timedelta(hours=1)
"""The longest LEEWAY of a service that reads the revocation feed."""


NAME_AND_SECRET = text("[^:]+:.+", "Use `name:secret`.", is_secret=True)
DIGEST = text("[0-9a-f]{64}", "")
SERVICES = Kind(
    "Use a dict of names, each with a list of SHA-256 digests in lower-case hexadecimal digits.",
    lambda value: (
        isinstance(value, dict)
        and all(
            isinstance(name, str)
            and ":" not in name
            and (digests == [] or list_of(DIGEST)(digests))
            for name, digests in value.items()
        )
    ),
)


class ServiceConf(Conf):
    """The options of the app and of `services/`."""

    INTROSPECTION_CLIENTS: Option[dict[str, Sequence[str]]] = Option(
        {},
        SERVICES,
        "the services that may introspect tokens: the name of each, and the SHA-256 of its secrets",
    )
    FEED_URL = Option("", ADDRESS, "the revocation feed that `FeedAuthentication` reads")
    FEED_CLIENT = Option("", NAME_AND_SECRET, "`name:secret` of this service at the feed")
    FEED_MAX_SILENCE = Option(
        timedelta(minutes=2), LIFETIME, "how long the feed may be silent until requests are 503"
    )
    FEED_FAILS_OPEN = Option(
        False, FLAG, "accept tokens if the feed is silent; ended sessions are then not refused"
    )


conf = ServiceConf()


def kept_for_readers() -> timedelta:
    """Return how long the flush keeps an expired session.

    The feed must still list it: a service may accept its tokens for longer than this site does, and
    reads the whole feed when it restarts.
    """
    return LONGEST_LEEWAY if conf.INTROSPECTION_CLIENTS else timedelta(0)


flush.kept_after_expiry.append(kept_for_readers)
