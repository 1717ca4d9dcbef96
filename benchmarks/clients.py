"""Many clients at once, with sessions that were opened without HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from . import apis, load
from .sites import Server, Site, stock

CLIENTS = 8


class Stock:
    """The sessions of a site that no operation has used yet."""

    def __init__(self, server: Server, site: Site, sessions: int) -> None:
        self.api = site.api
        self.sessions: Iterator[apis.Session] = iter(stock(site, server, sessions)["sessions"])

    def stories(self, operation: str, clients: int = CLIENTS) -> list[load.Story]:
        """Return what each of the clients does: it refreshes, or asks."""
        tell = load.refreshing if operation == "refresh" else load.asking
        return [tell(self.api, next(self.sessions)) for _ in range(clients)]
