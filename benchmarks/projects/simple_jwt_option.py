"""Simple JWT, whose tokens carry a hash of the password."""

from .simple_jwt import *  # noqa: F403
from .simple_jwt import SIMPLE_JWT

SIMPLE_JWT = {**SIMPLE_JWT, "CHECK_REVOKE_TOKEN": True}
