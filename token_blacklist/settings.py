"""`api_settings`, Simple JWT's name for `conf`."""

from .conf import conf as api_settings  # noqa: F401
