"""`api_settings`, as Simple JWT calls its options. The same object as `conf`."""

from .conf import conf as api_settings  # noqa: F401
