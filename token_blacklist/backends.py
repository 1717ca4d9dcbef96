"""`TokenBackend`, where Simple JWT has it."""

from .keys import TokenBackend  # noqa: F401
