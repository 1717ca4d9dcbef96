"""The two lists, the ending of sessions, and the flush, in the admin.

Nothing here can show a token: none is kept. In django-unfold's theme where that is installed,
else in Django's own.
"""

from .blacklisted import BlacklistedTokenAdmin
from .outstanding import OutstandingTokenAdmin
from .upkeep import FlushRunAdmin

__all__ = ["BlacklistedTokenAdmin", "FlushRunAdmin", "OutstandingTokenAdmin"]
