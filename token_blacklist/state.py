"""`token_backend`, importable from the same module as in Simple JWT."""

from .keys import token_backend  # noqa: F401
