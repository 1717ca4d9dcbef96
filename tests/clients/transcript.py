"""The session of docs/api.md with the client of openapi-python-client."""

import sys

from client import AuthenticatedClient, Client
from client.api.account import me
from client.api.token import token_blacklist, token_obtain, token_refresh
from client.models import (
    Error,
    Me,
    TokenBlacklistRequest,
    TokenBlacklistResponse200,
    TokenObtainPair,
    TokenObtainPairRequest,
    TokenRefresh,
    TokenRefreshRequest,
)

site = sys.argv[1]
api = Client(base_url=site)

credentials = TokenObtainPairRequest("demo@example.com", "demo-password")
first = token_obtain.sync(client=api, body=credentials)
assert isinstance(first, TokenObtainPair)
assert isinstance(first.refresh, str)
mine = AuthenticatedClient(base_url=site, token=first.access)

user = me.sync(client=mine)
assert isinstance(user, Me)
name: str = user.name
assert name == "Demo"

second = token_refresh.sync(client=api, body=TokenRefreshRequest(first.refresh))
assert isinstance(second, TokenRefresh)
assert isinstance(second.refresh, str)

signed_out = token_blacklist.sync(client=api, body=TokenBlacklistRequest(second.refresh))
assert isinstance(signed_out, TokenBlacklistResponse200)

refused = token_refresh.sync(client=api, body=TokenRefreshRequest(second.refresh))
assert isinstance(refused, Error)
assert refused.code == "token_not_valid"

unknown = me.sync(client=mine)
assert isinstance(unknown, Error)
assert unknown.code == "token_not_valid"

# Without a token the refresh cookie is meant, which this client does not have.
nobody = token_refresh.sync(client=api, body=TokenRefreshRequest())
assert isinstance(nobody, Error)
assert nobody.code == "not_signed_in"
