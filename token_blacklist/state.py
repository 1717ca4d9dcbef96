"""`token_backend`, which signs and verifies by the settings, where Simple JWT has it."""

from .keys import token_backend  # noqa: F401
