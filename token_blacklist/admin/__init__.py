"""The admin of the two lists and of flush runs, and the end of sessions.

No page can show a token, because none is stored. In django-unfold's theme where that is installed,
else in Django's own.
"""

from .blacklisted import BlacklistedTokenAdmin
from .outstanding import OutstandingTokenAdmin
from .upkeep import FlushRunAdmin

__all__ = ["BlacklistedTokenAdmin", "FlushRunAdmin", "OutstandingTokenAdmin"]
