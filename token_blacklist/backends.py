"""`TokenBackend`, importable from the same module as in Simple JWT."""

from .keys import TokenBackend  # noqa: F401
