"""The admin: list and end sessions, the blacklist, past flush runs.

No page can show a token, because tokens are not stored. If django-unfold is installed, its theme is
used.
"""

from .blacklisted import BlacklistedTokenAdmin
from .outstanding import OutstandingTokenAdmin
from .upkeep import FlushRunAdmin

__all__ = ["BlacklistedTokenAdmin", "FlushRunAdmin", "OutstandingTokenAdmin"]
