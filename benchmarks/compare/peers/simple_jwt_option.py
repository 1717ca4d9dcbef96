"""The benchmark's Simple JWT, whose tokens carry a hash of the password."""

from benchmarks.simple_jwt import settings

globals().update({name: value for name, value in vars(settings).items() if name.isupper()})
SIMPLE_JWT = {**settings.SIMPLE_JWT, "CHECK_REVOKE_TOKEN": True}
