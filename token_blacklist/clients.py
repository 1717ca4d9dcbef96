"""The client of a request: its address and its user agent, and whether to remember the sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings

USER_AGENT_LENGTH = 255
T = TypeVar("T")
_request: ContextVar[Request | HttpRequest | None] = ContextVar("request", default=None)
_remember: ContextVar[bool] = ContextVar("remember", default=True)


@dataclass(frozen=True)
class Client:
    """The client address and user agent of a request."""

    ip_address: str | None = None
    user_agent: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there was a request to read it from."""
        return bool(self.ip_address or self.user_agent)

    def may_be(self, other: Client) -> bool:
        """Return whether both may be one client: the network or the user agent is the same.

        A phone changes its network, and an update changes the user agent, but hardly ever both
        within seconds. An unknown client may be any client. The missing user agent or address of a
        known client is compared like any other value.
        """
        if not (self.is_known and other.is_known) or self.user_agent == other.user_agent:
            return True
        return network_of(self.ip_address) == network_of(other.ip_address)


@contextmanager
def _within(variable: ContextVar[T], value: T) -> Iterator[None]:
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)


# Needed because `get_token()`, which sites override, takes only the user, as in Simple JWT.
def on_behalf_of(request: Request | HttpRequest | None) -> AbstractContextManager[None]:
    """Use this request for `client_of(None)` inside the block."""
    return _within(_request, request)


def current_request(request: Request | HttpRequest | None) -> Request | HttpRequest | None:
    """Return the request, or without one that of the surrounding `on_behalf_of` block."""
    return _request.get() if request is None else request


def remembering(remember: bool) -> AbstractContextManager[None]:
    """Set for the block whether new sessions are remembered, or have SHORT_SESSION_LIFETIME."""
    return _within(_remember, remember)


def is_remembered() -> bool:
    """Return the value of the surrounding `remembering` block, by default True."""
    return _remember.get()


def client_of(request: Request | HttpRequest | None) -> Client:
    """Return the client of a request; an empty one without a request.

    The address is the peer's. If DRF's NUM_PROXIES is n > 0, it is the n-th entry from the right of
    X-Forwarded-For, which the outermost trusted proxy added. A client can forge those before.
    """
    request = current_request(request)
    if request is None:
        return Client()
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")
    return Client(_address(request), agent[:USER_AGENT_LENGTH])


def _address(request: Request | HttpRequest) -> str | None:
    claimed = request.META.get("REMOTE_ADDR", "")
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies = api_settings.NUM_PROXIES
    if proxies and hops != [""]:
        claimed = hops[-min(proxies, len(hops))]
    return _normal(claimed)


def network_of(address: str | None) -> IPv4Network | IPv6Network | None:
    """Return the network that is most likely one site's: the /24 of IPv4, the /48 of IPv6."""
    if address is None:
        return None
    ip = ip_address(normal_address(address))
    return ip_network((ip, 24 if ip.version == 4 else 48), strict=False)


@lru_cache(maxsize=1024)
def _normal(claimed: str) -> str | None:
    try:
        return normal_address(_bare(claimed.strip()))
    except ValueError:  # the peer of a unix socket has no address
        return None


def normal_address(address: str) -> str:
    """Return the usual form of an address. `::ffff:192.0.2.1`, of a server for both, is IPv4.

    Raises:
        ValueError: it is not an address.
    """
    ip = ip_address(address)
    return str((ip.version == 6 and ip.ipv4_mapped) or ip)


def _bare(address: str) -> str:
    """Remove what some proxies add: a port, brackets, the zone of an IPv6 address."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    return address.partition("%")[0]


def default_device_name(user_agent: str) -> str:
    """Return the last product of a user agent, usually the browser. The default of DEVICE_NAME."""
    *_others, last = user_agent.split() or [""]
    return last[:60]
