"""The tokens: what they claim, and how one is issued for another. `sessions/` has the rows.

Claims are those of RFC 7519, plus `token_type`, `user_id`, `sid` (the session, as in OpenID
Connect Front-Channel Logout), `auth_time` (OpenID Connect Core section 2) and `remember`, which is
false in the refresh tokens of a session of SHORT_SESSION_LIFETIME and absent in others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import NAMESPACE_OID, uuid4, uuid5

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest
from django.utils.functional import classproperty
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from . import keys
from .clients import Client, client_of
from .conf import conf
from .exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from .models import LATER_JTI, BlacklistedToken, OutstandingToken, jti_of
from .sessions.end import revoke_session, sign_out
from .sessions.open import announce_issued, open_session, record_session
from .sessions.prove import find_session, find_user_of_session
from .sessions.rotate import advance, repeat
from .token_user import AuthUser  # noqa: F401  # Simple JWT has it here
from .users import has_own_rule, may_use_tokens
from .utils import aware_utcnow

SESSION_CLAIM = "sid"
AUTH_TIME_CLAIM = "auth_time"
REMEMBER_CLAIM = "remember"
IDENTIFIER_LENGTH = 255  # what the session_id column holds
_remember: ContextVar[bool] = ContextVar("remember", default=True)


@contextmanager
def remembering(remember: bool) -> Iterator[None]:
    """Open sessions that are remembered inside the block, or else of SHORT_SESSION_LIFETIME.

    For `get_token()`, which sites override and which takes the user alone in Simple JWT.
    """
    before = _remember.set(remember)
    try:
        yield
    finally:
        _remember.reset(before)


def longest_lifetime(*, remember: bool) -> timedelta | None:
    """Return how long after the sign-in a session expires in any case, or None for no limit."""
    limits = (conf.SESSION_LIFETIME, None if remember else conf.SHORT_SESSION_LIFETIME)
    return min((limit for limit in limits if limit is not None), default=None)


class Token:
    """A JSON Web Token, decoded or new.

    `Token(encoded)` raises TokenError if the token is not valid; `str(token)` signs it.
    """

    token_type: ClassVar[str | None] = None
    lifetime: ClassVar[Any] = None  # a timedelta
    has_user_claims: ClassVar[bool] = True  # those of USER_CLAIMS
    token_backend: ClassVar[keys.TokenBackend] = keys.token_backend  # signs and verifies
    user: AbstractBaseUser | None = None  # where it is loaded: the token's user

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        if self.token_type is None or self.lifetime is None:
            raise TokenError(_("Cannot create token with no type or lifetime"))
        self.token = token
        self.current_time = aware_utcnow()
        self.payload: dict[str, Any]
        if token is not None:
            self.payload = self.get_token_backend().decode(token, verify=verify)
            if verify:
                self.verify()
        else:
            self.payload = {conf.TOKEN_TYPE_CLAIM: self.token_type}
            self.set_exp()
            self.set_iat()
            self.set_jti()

    @classmethod
    def authentic(cls, encoded: str | bytes) -> Self:
        """Return the token if its signature and claims are valid. Its session is not checked."""
        return cls.claiming(cls.token_backend.decode(encoded), encoded)

    @classmethod
    def claiming(cls, claims: dict[str, Any], encoded: str | bytes) -> Self:
        """Return the token of decoded claims, if they are valid for this class."""
        token = cls.with_claims(claims)
        token.token = encoded
        token.verify_claims()
        return token

    @classmethod
    def with_claims(cls, claims: dict[str, Any]) -> Self:
        """Return a token with exactly these claims."""
        token = cls.__new__(cls)
        token.token = None
        token.current_time = aware_utcnow()
        token.payload = claims
        return token

    @classmethod
    def for_user(cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None) -> Self:
        """Return a new token for a user who has been authenticated."""
        token = cls()
        token[conf.USER_ID_CLAIM] = str(getattr(user, conf.USER_ID_FIELD))
        token.set_user(user)
        return token

    def __repr__(self) -> str:
        return repr(self.payload)

    def __str__(self) -> str:
        return self.get_token_backend().encode(self.payload)

    def get_token_backend(self) -> keys.TokenBackend:
        return self.token_backend

    def __getitem__(self, claim: str) -> Any:
        return self.payload[claim]

    def __setitem__(self, claim: str, value: Any) -> None:
        self.payload[claim] = value

    def __delitem__(self, claim: str) -> None:
        del self.payload[claim]

    def __contains__(self, claim: str) -> bool:
        return claim in self.payload

    def get(self, claim: str, default: Any = None) -> Any:
        return self.payload.get(claim, default)

    def verify(self) -> None:
        """Raise TokenError if the token is not valid. The signature has been verified."""
        self.verify_claims()

    def verify_claims(self) -> None:
        """Raise TokenError if the expiry, id or type of the token is not valid."""
        self.check_exp()
        if conf.JTI_CLAIM is not None:
            self.jti  # noqa: B018  # raises
        self.verify_token_type()

    def verify_token_type(self) -> None:
        """Raise TokenError if the token is of another type (RFC 8725 section 3.12)."""
        if conf.TOKEN_TYPE_CLAIM not in self.payload:
            raise TokenError(_("Token has no type"))
        if self.payload[conf.TOKEN_TYPE_CLAIM] != self.token_type:
            raise TokenError(_("Token has wrong type"))

    @property
    def jti(self) -> str:
        """The token's id (RFC 7519 section 4.1.7)."""
        return self.identifier(conf.JTI_CLAIM)

    def identifier(self, claim: str) -> str:
        """Return a claim that is an id: a string that a database accepts. Raises TokenError."""
        value = self.payload.get(claim)
        if value is None:
            raise TokenError(_("Token has no id"))
        if not _is_plain_text(value):
            raise TokenError(_("Token has an invalid id"))
        return str(value)

    @property
    def user_id(self) -> Any:
        """The USER_ID_FIELD of the token's user, with the type of that field."""
        claim = self.payload.get(conf.USER_ID_CLAIM)
        # A bool is an int to Python, and True would be user 1.
        if (
            isinstance(claim, bool)
            or not isinstance(claim, str | int)
            or not _is_plain_text(str(claim))
        ):
            raise TokenError(_("Token contained no recognizable user identification"))
        field: Any = get_user_model()._meta.get_field(conf.USER_ID_FIELD)
        try:
            value = field.to_python(claim)
        except (ValidationError, ValueError) as error:
            raise TokenError(_("Token contained no recognizable user identification")) from error
        # Only in its exact form: Python also reads "01" and the Arabic digit one as 1.
        if str(value) != str(claim):
            raise TokenError(_("Token contained no recognizable user identification"))
        return value

    def get_user(self) -> Any:
        """Return the user that the token names, if it is accepted. One SELECT.

        A refresh or sliding token must be in force in its session; an access token of a session
        ends with it, and one without a session is accepted until it expires.

        Raises:
            TokenError: the token names no user, or its session has ended.
            AuthenticationFailed: `user_not_found` or `user_inactive`.
        """
        user, is_live = find_user_of_session(
            self.user_id,
            **(self._session() if conf.LISTS_ENABLED else {"session_id": None}),
            now=self.current_time,
        )
        if user is None:
            raise AuthenticationFailed(_("This account no longer exists."), code="user_not_found")
        if not may_use_tokens(user):
            detail = _("This account is deactivated. Contact support.")
            raise AuthenticationFailed(detail, code="user_inactive")
        if not is_live:
            raise TokenError(_("Token is blacklisted"))
        return user

    def _session(self) -> dict[str, Any]:
        """Return what `find_user_of_session` requires of the token's session."""
        return {"session_id": self.identifier(SESSION_CLAIM) if SESSION_CLAIM in self else None}

    def find_user(self) -> Any:
        """Return the user that the token names, whatever its session, or None. One SELECT."""
        try:
            return find_user_of_session(self.user_id, None, now=self.current_time)[0]
        except TokenError:
            return None

    def set_user(self, user: Any) -> None:
        """Keep the token's user, and add the claims that USER_CLAIMS returns for them.

        A refresh token gets none: it would carry them, out of date, to later access tokens.

        Raises:
            ImproperlyConfigured: USER_CLAIMS returns a claim that the app sets itself.
        """
        self.user = user
        if conf.USER_CLAIMS is None or user is None or not self.has_user_claims:
            return
        claims = conf.USER_CLAIMS(user)
        for claim in sorted(claims.keys() & _reserved_claims()):
            raise ImproperlyConfigured(
                f"The function in TOKEN_BLACKLIST['USER_CLAIMS'] returns {claim!r}, "
                "a claim that the app sets itself. Give it another name."
            )
        self.payload |= claims

    def set_jti(self) -> None:
        """Set a unique id (RFC 7519 section 4.1.7)."""
        if conf.JTI_CLAIM is not None:
            self.payload[conf.JTI_CLAIM] = uuid4().hex

    def set_exp(
        self,
        claim: str = "exp",
        from_time: datetime | None = None,
        lifetime: timedelta | None = None,
    ) -> None:
        """Set when the token expires (RFC 7519 section 4.1.4)."""
        end = (from_time or self.current_time) + (self.lifetime if lifetime is None else lifetime)
        self.payload[claim] = keys.epoch(end)

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        """Set the time of issue (RFC 7519 section 4.1.6)."""
        self.payload[claim] = keys.epoch(at_time or self.current_time)

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Raise TokenError if the time in the claim has passed, the leeway included."""
        if claim not in self.payload:
            raise TokenError(_("Token has no '%s' claim") % claim)
        now = current_time or self.current_time
        if self.timestamp(claim) <= now - self.get_token_backend().get_leeway():
            raise ExpiredTokenError(_("Token '%s' claim has expired") % claim)

    def timestamp(self, claim: str) -> datetime:
        """Return a NumericDate claim (RFC 7519 section 2) as a datetime. Raises TokenError."""
        value = self.payload.get(claim)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TokenError(_("Token has an invalid '%s' claim") % claim)
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise TokenError(_("Token has an invalid '%s' claim") % claim) from error


class BlacklistMixin(Token):
    """For tokens on the lists: each belongs to a session, which can be refreshed and ended.

    If the app is not in INSTALLED_APPS, these tokens are signed and verified without lists.
    """

    def __class_getitem__(cls, token_class: Any) -> type[Self]:
        """Accept Simple JWT's `BlacklistMixin["MyToken"]`."""
        return cls

    is_repeatable = False  # True: access_token is the same each time, for a repeated refresh

    def verify(self) -> None:
        super().verify()
        if conf.LISTS_ENABLED:
            self.check_blacklist()

    def verify_claims(self) -> None:
        super().verify_claims()
        if conf.LISTS_ENABLED:
            self.generation  # noqa: B018  # raises
            self.signed_in_at  # noqa: B018  # raises

    @property
    def session_id(self) -> str:
        """The session id: `sid`, or the token's jti if it has none (tokens of Simple JWT)."""
        claim = SESSION_CLAIM if SESSION_CLAIM in self.payload else conf.JTI_CLAIM
        return self.identifier(claim)

    @property
    def generation(self) -> int:
        """How often the session had been refreshed when the token was issued."""
        jti, session_id = self.jti, self.session_id
        if jti == session_id:
            return 0
        later = LATER_JTI.fullmatch(jti)
        if later is None or later["session_id"] != session_id:
            raise TokenError(_("Token has an invalid id"))
        return int(later["generation"])

    @property
    def signed_in_at(self) -> datetime:
        """When the session was opened: `auth_time`, or `iat` in tokens of Simple JWT."""
        claim = AUTH_TIME_CLAIM if AUTH_TIME_CLAIM in self.payload else "iat"
        return self.timestamp(claim)

    @property
    def is_remembered(self) -> bool:
        """Whether the session may go on after the browser is closed and SHORT_SESSION_LIFETIME."""
        return self.payload.get(REMEMBER_CLAIM) is not False

    @property
    def needs_record(self) -> bool:
        """Whether the token is refused without a record.

        A token with a `sid` has had a record; if that was deleted, the token is refused.
        """
        return conf.REQUIRE_OUTSTANDING or SESSION_CLAIM in self.payload

    def _session(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id,
            "generation": self.generation,
            "may_be_unlisted": not self.needs_record,
        }

    def check_blacklist(self) -> None:
        """Raise TokenError unless the token is in force in a live session. One SELECT."""
        session = self._find_session()
        if session is None:
            if self.needs_record:
                raise TokenError(_("Token has no session: it has ended"))
        elif session.is_blacklisted or not session.is_in_force:
            raise TokenError(_("Token is blacklisted"))
        elif session.is_expired(self.current_time):
            raise ExpiredTokenError(_("Token is expired"))
        else:
            self._check_user_of(session)

    @classmethod
    def for_user(cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None) -> Self:
        """Open a session and return its first token. One INSERT.

        The session records the client address and user agent of `request`.
        """
        token = super().for_user(user, request)
        if not _remember.get():
            token[REMEMBER_CLAIM] = False
        if conf.LISTS_ENABLED:
            token._begin_session()
            open_session(token._new_session(user, client_of(request)))
        return token

    @classmethod
    def of_session(
        cls, session: OutstandingToken, *, generation: int | None = None, remember: bool = True
    ) -> Self:
        """Return the token of a session that has a row. No query.

        `generation` is by default the current one. The token has no claims but those of the app.
        """
        token = super().for_user(session.user)  # type: ignore[arg-type]  # a live session has one
        signed_in_at = session.created_at or token.current_time
        token.payload |= {
            "exp": keys.epoch(session.expires_at),
            "iat": keys.epoch(session.refreshed_at or signed_in_at),
            conf.JTI_CLAIM: jti_of(
                session.session_id, session.generation if generation is None else generation
            ),
            SESSION_CLAIM: session.session_id,
            AUTH_TIME_CLAIM: keys.epoch(signed_in_at),
            **({} if remember else {REMEMBER_CLAIM: False}),
        }
        return token

    def outstand(self) -> tuple[OutstandingToken, bool]:
        """Return the session's record and whether this call inserted it, if there was none.

        A token that was not signed yet opens a session: it gets `sid` and `auth_time`.
        """
        self._require_lists()
        if self.token is None and SESSION_CLAIM not in self.payload:
            self._begin_session()
        session, is_new = record_session(self._new_session(self.find_user(), client_of(None)))
        if is_new:
            announce_issued(session)
        return session, is_new

    def successor(self) -> Self:
        """Return the token that a refresh with this one issues. The session does not change yet.

        With ROTATE_REFRESH_TOKENS off, that is this token. One SELECT if `rotate` does not check
        the user, or if USER_CLAIMS or a USER_AUTHENTICATION_RULE of the site needs one; otherwise
        no query.

        Raises:
            TokenError: the session has ended.
            AuthenticationFailed: `no_active_account`.
        """
        if not conf.ROTATE_REFRESH_TOKENS:
            self.set_user(self._get_active_user())
            return self
        expires_at = self._next_expiry()
        if not conf.LISTS_ENABLED:
            return self._unlisted_successor(expires_at, self._get_active_user())
        user = None
        if conf.USER_CLAIMS or has_own_rule():
            user = self.find_user()
            if not may_use_tokens(user):
                raise _no_active_account()
        return self._successor_at(self.generation + 1, self.current_time, expires_at, user)

    def rotate(self, successor: Self, client: Client | None = None) -> Self:
        """Advance the session to the successor; return the token that is now in force.

        That is `successor`, or within the grace period the token that an earlier refresh with
        this one issued. One UPDATE; otherwise one SELECT as well, and one INSERT for reuse.
        `client` is recorded, and a repeat by another client is reuse; None is any client.

        Raises:
            TokenError: the session has ended, or ends now because this token was reused.
            AuthenticationFailed: `no_active_account`.
        """
        if successor is self or not conf.LISTS_ENABLED:
            return successor
        now, expires_at = self.current_time, successor.timestamp("exp")
        if advance(
            self.session_id,
            self.generation,
            user_id=self.user_id,
            now=now,
            expires_at=expires_at,
            client=client,
        ):
            return successor
        session = self._find_session()
        if session is None and self._record_rotated(expires_at, client):
            return successor
        session = session or self._find_session()  # recorded by another request at the same time
        if session is None:
            raise TokenError(_("Token is blacklisted"))
        user = session.user
        if not (may_use_tokens(user) and self._names(user)):
            raise _no_active_account()  # first, because it tells the client more
        repeat(session, self.generation, now, client)
        return self._successor_at(
            session.generation, session.refreshed_at or now, session.expires_at, user
        )

    def blacklist(
        self, *, reason: str = BlacklistedToken.Reason.API, by: Any = None
    ) -> tuple[BlacklistedToken | None, bool]:
        """End the token's session, whichever generation this token is.

        Return the record and whether this call inserted it. A token without a session gets one. A
        second call changes nothing. The record is None if the session was flushed at the same
        time. Raises TokenError if the session belongs to another user.
        """
        self._require_lists()
        signs_out = by is None and reason == BlacklistedToken.Reason.LOGOUT
        if signs_out and conf.USER_ID_CLAIM in self.payload:
            record = sign_out(self.session_id, self.user_id)
            if record is not None:
                return record, True
        session = self._find_session() or self.outstand()[0]
        self._check_user_of(session)
        if session.is_blacklisted:
            return session.blacklistedtoken, False
        return revoke_session(session, reason=reason, by=session.user if signs_out else by)

    def _find_session(self) -> OutstandingToken | None:
        return find_session(self.session_id, self.generation, self.current_time)

    def _names(self, user: Any) -> bool:
        return bool(getattr(user, conf.USER_ID_FIELD) == self.user_id)

    def _check_user_of(self, session: OutstandingToken) -> None:
        """Raise TokenError if the session belongs to a user whom the token does not name."""
        # None: deleted since, or the token never named one.
        if session.user is not None and not self._names(session.user):
            raise TokenError(_("Token is invalid"))

    def _get_active_user(self) -> Any:
        try:
            return self.get_user()
        except AuthenticationFailed as error:
            raise _no_active_account() from error

    def _record_rotated(self, expires_at: datetime, client: Client | None) -> bool:
        """Record a session at its next generation, for a token that was issued without a record.

        Only with REQUIRE_OUTSTANDING off. Return whether this call did.
        """
        if self.needs_record:
            raise TokenError(_("Token is blacklisted"))
        session = self._new_session(self._get_active_user(), client or Client())
        session.generation += 1
        session.refreshed_at, session.expires_at = self.current_time, expires_at
        return record_session(session)[1]

    def _successor_at(
        self, generation: int, issued_at: datetime, expires_at: datetime, user: Any
    ) -> Self:
        """Return the session's token of that generation, with all other claims of this one.

        `user` may be None if nothing needs it.
        """
        successor = self.with_claims(
            self.payload
            | {
                conf.JTI_CLAIM: jti_of(self.session_id, generation),
                "iat": keys.epoch(issued_at),
                "exp": keys.epoch(expires_at),
                SESSION_CLAIM: self.session_id,
                AUTH_TIME_CLAIM: keys.epoch(self.signed_in_at),
            }
        )
        # A repeated refresh gets the same access token, too.
        successor.current_time = issued_at
        successor.is_repeatable = True
        successor.set_user(user)
        return successor

    def _unlisted_successor(self, expires_at: datetime, user: Any) -> Self:
        """Return the next token without lists: it has an id of its own and no session."""
        times = {"iat": keys.epoch(self.current_time), "exp": keys.epoch(expires_at)}
        successor = self.with_claims(self.payload | times)
        successor.set_jti()
        successor.set_user(user)
        return successor

    def _next_expiry(self) -> datetime:
        """Return when the next token expires, in whole seconds so that `exp` and the row agree."""
        now = self.current_time
        lifetime: timedelta = self.lifetime
        longest = longest_lifetime(remember=self.is_remembered)
        if longest is not None:
            # By age: an end computed from an auth_time in the year 9999 would overflow.
            lifetime = min(lifetime, longest - (now - self.signed_in_at))
            if lifetime <= timedelta(0):
                raise ExpiredTokenError(_("The session has reached its end. Sign in again."))
        end = now + lifetime
        if not conf.REQUIRE_OUTSTANDING:
            # Not before this token: after a flush of the row, it would be accepted again.
            end = max(end, self.timestamp("exp"))
        return end - timedelta(microseconds=end.microsecond)

    def _begin_session(self) -> None:
        self.payload[SESSION_CLAIM] = self.payload[conf.JTI_CLAIM]
        self.payload[AUTH_TIME_CLAIM] = self.payload["iat"]
        longest = longest_lifetime(remember=self.is_remembered)
        if longest is not None:
            end = keys.epoch(self.signed_in_at + longest)
            self.payload["exp"] = min(self.payload["exp"], end)

    def _new_session(self, user: Any, client: Client) -> OutstandingToken:
        return OutstandingToken(
            user=user,
            session_id=self.session_id,
            generation=self.generation,
            created_at=self.signed_in_at,
            expires_at=self.timestamp("exp"),
            ip_address=client.ip_address,
            user_agent=client.user_agent,
        )

    def _require_lists(self) -> None:
        if not conf.LISTS_ENABLED:
            raise ImproperlyConfigured(
                "There are no token lists: add 'token_blacklist' to INSTALLED_APPS and run migrate."
            )


class SlidingToken(BlacklistMixin, Token):
    """An access and refresh token in one: it authenticates requests and can be refreshed."""

    token_type = "sliding"  # noqa: S105  # a type, no secret
    lifetime = classproperty(lambda cls: conf.SLIDING_TOKEN_LIFETIME)

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        super().__init__(token, verify)
        if token is None:
            self.set_exp(
                conf.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
                lifetime=conf.SLIDING_TOKEN_REFRESH_LIFETIME,
            )


class AccessToken(Token):
    """Authenticates requests. It is short-lived, and ends with its session."""

    token_type = "access"  # noqa: S105  # a type, no secret
    lifetime = classproperty(lambda cls: conf.ACCESS_TOKEN_LIFETIME)


class RefreshToken(BlacklistMixin, Token):
    """Refreshes a session and ends it."""

    token_type = "refresh"  # noqa: S105  # a type, no secret
    lifetime = classproperty(lambda cls: conf.REFRESH_TOKEN_LIFETIME)
    has_user_claims = False
    access_token_class = AccessToken

    # Claims that are not copied from a refresh token to its access tokens.
    no_copy_claims = classproperty(
        lambda cls: (conf.TOKEN_TYPE_CLAIM, "exp", conf.JTI_CLAIM, "jti", "iat")
    )

    @property
    def access_token(self) -> AccessToken:
        """A new access token of this session, which never outlives this refresh token.

        With USER_CLAIMS, one SELECT if the user is not loaded.
        """
        access = self.access_token_class()
        access.set_exp(from_time=self.current_time)
        if self.is_repeatable:
            access.set_iat(at_time=self.current_time)
            access[conf.JTI_CLAIM] = uuid5(NAMESPACE_OID, self.jti).hex
        access["exp"] = min(access["exp"], self.payload["exp"])
        no_copy = {*self.no_copy_claims, AUTH_TIME_CLAIM, REMEMBER_CLAIM}
        for claim, value in self.payload.items():
            if claim not in no_copy:
                access[claim] = value
        if conf.USER_CLAIMS is not None:
            access.set_user(self.user or self.find_user())
        return access


class UntypedToken(Token):
    """A token of any type with a valid signature, to inspect its claims."""

    token_type = "untyped"  # noqa: S105  # a type, no secret
    lifetime = timedelta(0)

    def verify_token_type(self) -> None:
        """Accept every type."""


def _reserved_claims() -> set[str | None]:
    options = (
        conf.USER_ID_CLAIM,
        conf.TOKEN_TYPE_CLAIM,
        conf.JTI_CLAIM,
        conf.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
    )
    own = (SESSION_CLAIM, AUTH_TIME_CLAIM, REMEMBER_CLAIM)
    return {"exp", "iat", "nbf", "jti", "aud", "iss", *own, *options}


def _is_plain_text(value: Any) -> bool:
    """Return whether a database accepts the value: NUL and surrogates are not printable."""
    return isinstance(value, str) and 0 < len(value) <= IDENTIFIER_LENGTH and value.isprintable()


def _no_active_account() -> AuthenticationFailed:
    return AuthenticationFailed(
        _("This account is deactivated or no longer exists. Contact support."),
        code="no_active_account",
    )
