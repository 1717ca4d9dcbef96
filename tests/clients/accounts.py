"""Sign-up and a second factor with the clients of openapi-python-client, from both descriptions."""

import base64
import hashlib
import hmac
import re
import struct
import sys
import time
from pathlib import Path

from accounts_client import AuthenticatedClient as Accounts
from accounts_client import Client as Visitor
from accounts_client.api.account_2fa import (
    get_allauth_client_v1_account_authenticators_totp as totp_secret,
)
from accounts_client.api.account_2fa import (
    post_allauth_client_v1_account_authenticators_totp as totp_activate,
)
from accounts_client.api.authentication_account import (
    post_allauth_client_v1_auth_email_verify as email_verify,
)
from accounts_client.api.authentication_account import (
    post_allauth_client_v1_auth_reauthenticate as reauthenticate,
)
from accounts_client.api.authentication_account import post_allauth_client_v1_auth_signup as sign_up
from accounts_client.models import (
    AuthenticatedResponse,
    AuthenticationResponse,
    GetAllauthClientV1AccountAuthenticatorsTotpClient,
    GetAllauthClientV1AccountAuthenticatorsTotpResponse404,
    PostAllauthClientV1AccountAuthenticatorsTotpBody,
    PostAllauthClientV1AccountAuthenticatorsTotpClient,
    PostAllauthClientV1AccountAuthenticatorsTotpResponse200,
    PostAllauthClientV1AuthEmailVerifyClient,
    PostAllauthClientV1AuthReauthenticateClient,
    PostAllauthClientV1AuthSignupClient,
    Reauthenticate,
    Signup,
    VerifyEmail,
)
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

EMAIL, PASSWORD = "ada@example.com", "a long and good password"
site, mails = sys.argv[1], Path(sys.argv[2])


def code_of_the_mail() -> str:
    """Return the code of the latest e-mail, which the server sends after its response."""
    for _attempt in range(100):
        if any(mails.iterdir()):
            break
        time.sleep(0.1)
    newest = max(mails.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    found = re.findall(r"^[A-Z0-9]+(?:-[A-Z0-9]+)*$", newest.read_text(), re.MULTILINE)
    return str(found[0])


def totp(secret: str) -> str:
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def with_session(token: str) -> Accounts:
    return Accounts(base_url=site, token=token, prefix="", auth_header_name="X-Session-Token")


# Sign up, and verify the address with the code of the e-mail.
visitor = Visitor(base_url=site)
pending = sign_up.sync(
    PostAllauthClientV1AuthSignupClient.APP,
    client=visitor,
    body=Signup(email=EMAIL, password=PASSWORD),
)
assert isinstance(pending, AuthenticationResponse)
assert isinstance(pending.meta.session_token, str)
accounts = with_session(pending.meta.session_token)
verified = email_verify.sync(
    PostAllauthClientV1AuthEmailVerifyClient.APP,
    client=accounts,
    body=VerifyEmail(code_of_the_mail()),
)
assert isinstance(verified, AuthenticatedResponse)
assert isinstance(verified.meta.access_token, str)
assert isinstance(verified.meta.refresh_token, str)
assert isinstance(verified.meta.expires_in, int)
if isinstance(verified.meta.session_token, str):  # the next one
    accounts = with_session(verified.meta.session_token)
mine = AuthenticatedClient(base_url=site, token=verified.meta.access_token)
user = me.sync(client=mine)
assert isinstance(user, Me)
assert user.email == EMAIL

# Set up a second factor. A change that gives access to the account needs the password again.
again = reauthenticate.sync(
    PostAllauthClientV1AuthReauthenticateClient.APP,
    client=accounts,
    body=Reauthenticate(PASSWORD),
)
assert isinstance(again, AuthenticatedResponse)
setup = totp_secret.sync(GetAllauthClientV1AccountAuthenticatorsTotpClient.APP, client=accounts)
assert isinstance(setup, GetAllauthClientV1AccountAuthenticatorsTotpResponse404)
activated = totp_activate.sync(
    PostAllauthClientV1AccountAuthenticatorsTotpClient.APP,
    client=accounts,
    body=PostAllauthClientV1AccountAuthenticatorsTotpBody(totp(setup.meta.secret)),
)
assert isinstance(activated, PostAllauthClientV1AccountAuthenticatorsTotpResponse200)

# Sign in with it, refresh, and sign out.
api = Client(base_url=site)
refused = token_obtain.sync(client=api, body=TokenObtainPairRequest(EMAIL, PASSWORD))
assert isinstance(refused, Error)
assert refused.code == "mfa_required"
with_code = TokenObtainPairRequest(EMAIL, PASSWORD, code=totp(setup.meta.secret))
signed_in = token_obtain.sync(client=api, body=with_code)
assert isinstance(signed_in, TokenObtainPair)
assert isinstance(signed_in.refresh, str)
refreshed = token_refresh.sync(client=api, body=TokenRefreshRequest(signed_in.refresh))
assert isinstance(refreshed, TokenRefresh)
assert isinstance(refreshed.refresh, str)
for token in (refreshed.refresh, verified.meta.refresh_token):
    signed_out = token_blacklist.sync(client=api, body=TokenBlacklistRequest(token))
    assert isinstance(signed_out, TokenBlacklistResponse200)
assert not isinstance(me.sync(client=mine), Me)
