"""The token classes: create, read and check claims. `sessions/` handles the rows.

Claims are those of RFC 7519, plus `token_type`, `user_id`, `sid` (the session, as in OpenID
Connect Front-Channel Logout), `auth_time` (OpenID Connect Core section 2: when the user last proved
who they are) and `remember`, which is false in the refresh tokens of a session of
SHORT_SESSION_LIFETIME and absent in others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import NAMESPACE_OID, uuid4, uuid5

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.functional import classproperty
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from . import keys
from .clients import Client, client_of, current_request, is_remembered
from .conf import conf
from .exceptions import ExpiredTokenError, TokenError
from .models import LATER_JTI, BlacklistedToken, OutstandingToken, jti_of
from .sessions.end import end_session
from .sessions.open import move_expiry, open_session
from .sessions.prove import SessionClaims, find_user, prove
from .sessions.refresh import next_claims, refresh
from .token_user import AuthUser  # noqa: F401  # Simple JWT has it here
from .users import id_of, may_use_tokens, user_id_of
from .utils import as_utc, aware, aware_now, aware_utcnow, is_plain_text

SESSION_CLAIM = "sid"
AUTH_TIME_CLAIM = "auth_time"
REMEMBER_CLAIM = "remember"
OWN_CLAIMS = {
    *("exp", "iat", "nbf", "aud", "iss"),
    *(SESSION_CLAIM, AUTH_TIME_CLAIM, REMEMBER_CLAIM),
}
"""The claims that the app sets, apart from those with a name in the options."""

NO_NEW_ID = (
    "The id of a refresh or sliding token names its session, and cannot be changed. Where code "
    "calls blacklist(), set_jti(), set_exp() and set_iat() to rotate a token, call "
    "`token.refresh()` alone: it returns the signed tokens in a dict, the next refresh token and "
    "its access token. For another session, call `for_user(user)`."
)


class Token:
    """A JSON Web Token, decoded or new.

    `Token(encoded)` raises TokenError if the token is not valid; `str(token)` signs it.
    """

    token_type: ClassVar[str | None] = None
    lifetime: ClassVar[Any] = None  # a timedelta
    has_user_claims: ClassVar[bool] = True  # those of USER_CLAIMS
    token_backend: ClassVar[keys.TokenBackend] = keys.token_backend  # signs and verifies
    user: AbstractBaseUser | None = None  # the token's user, if loaded

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
    def authentic(cls, encoded: str | bytes, claims: dict[str, Any] | None = None) -> Self:
        """Return the token if its signature and claims are valid. Its session is not checked.

        Pass `claims` if the token has been decoded.
        """
        token = cls.with_claims(cls.token_backend.decode(encoded) if claims is None else claims)
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
        """Return a new token for a user who has been authenticated.

        Raises TokenError if their USER_ID_FIELD is None or no text that can be stored. With the
        empty text the token names nobody, as with Simple JWT.
        """
        token = cls()
        user_id = id_of(user)
        token[conf.USER_ID_CLAIM] = None if user_id is None else str(user_id)
        if user_id != "":
            token.read_user_id()  # so that it is refused now, and not with each request
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
            self.identifier(conf.JTI_CLAIM)
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
        if not is_plain_text(value):
            raise TokenError(_("Token has an invalid id"))
        return str(value)

    def read_user_id(self) -> Any:
        """Return the USER_ID_FIELD of the user, with the type of that field. Raises TokenError."""
        return user_id_of(self.payload.get(conf.USER_ID_CLAIM))

    user_id = property(read_user_id)

    def get_user(self) -> Any:
        """Return the token's user, if the token is accepted. One SELECT.

        A refresh or sliding token must be in force in its session; an access token of a session
        ends with it, and one without a session is accepted until it expires.

        Raises:
            TokenError: the token names no user, or its session has ended.
            AuthenticationFailed: `user_not_found` or `user_inactive`.
        """
        has_session = conf.LISTS_ENABLED and SESSION_CLAIM in self
        session_id = self.identifier(SESSION_CLAIM) if has_session else None
        return prove(self.user_id, session_id, now=as_utc(self.current_time))

    def _user_id_or_none(self) -> Any:
        try:
            return self.user_id
        except TokenError:
            return None

    def set_user(self, user: Any) -> None:
        """Keep the token's user, and add what USER_CLAIMS returns for one who may use tokens.

        A refresh token gets none, because it would copy outdated claims to later access tokens.

        Raises:
            ImproperlyConfigured: USER_CLAIMS returns a claim that the app sets itself.
        """
        self.user = user
        if not (conf.USER_CLAIMS and self.has_user_claims and may_use_tokens(user)):
            return
        self._add_claims("USER_CLAIMS", conf.USER_CLAIMS(user))

    def _add_claims(self, option: str, claims: dict[str, Any]) -> None:
        for claim in sorted(claims.keys() & {"jti", *OWN_CLAIMS, *conf.claim_names().values()}):
            raise ImproperlyConfigured(
                f"The function in TOKEN_BLACKLIST[{option!r}] returns {claim!r}, "
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
        end = as_utc(from_time or self.current_time) + (
            self.lifetime if lifetime is None else lifetime
        )
        self.payload[claim] = keys.epoch(end)

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        """Set the time of issue (RFC 7519 section 4.1.6)."""
        self.payload[claim] = keys.epoch(as_utc(at_time or self.current_time))

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Raise TokenError if the time in the claim has passed, the leeway included."""
        if claim not in self.payload:
            raise TokenError(_("Token has no '%s' claim") % claim)
        now = as_utc(current_time or self.current_time)
        if self.timestamp(claim) <= now - self.get_token_backend().get_leeway():
            raise ExpiredTokenError(_("Token '%s' claim has expired") % claim)

    def timestamp(self, claim: str) -> datetime:
        """Return a NumericDate claim (RFC 7519 section 2) as a datetime. Raises TokenError."""
        value = self.payload.get(claim)
        if isinstance(value, datetime):  # set by code of the site; signing makes it a number
            return as_utc(value).astimezone(UTC)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TokenError(_("Token has an invalid '%s' claim") % claim)
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise TokenError(_("Token has an invalid '%s' claim") % claim) from error


class BlacklistMixin(Token):
    """Base of tokens that belong to a session, which can be refreshed and ended.

    If the app is not in INSTALLED_APPS, these tokens are signed and verified without lists.
    """

    def __class_getitem__(cls, token_class: Any) -> type[Self]:
        """Accept Simple JWT's `BlacklistMixin["MyToken"]`."""
        return cls

    is_repeatable = False  # True: access_token is the same each time, for a repeated refresh
    _in_row: tuple[Any, Any] | None = None  # the id and expiry that the session's row knows

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        super().__init__(token, verify)
        if token is not None:
            self._note_row()

    @classmethod
    def authentic(cls, encoded: str | bytes, claims: dict[str, Any] | None = None) -> Self:
        token = super().authentic(encoded, claims)
        token._note_row()
        return token

    def __str__(self) -> str:
        """Sign the token. If its expiry was changed, that of the session follows: one UPDATE.

        Raises:
            NotImplementedError: the token's id was changed.
            TokenError: its expiry was changed, and its session has ended.
        """
        if not conf.LISTS_ENABLED:
            return super().__str__()
        self._check_id()
        is_moved = self._in_row is not None and self._in_row[1] != self.get("exp")
        if is_moved:
            self._limit_expiry()
        encoded = super().__str__()  # first, so that a failure changes nothing
        if is_moved:
            self._move_row()
        return encoded

    def set_jti(self) -> None:
        """Set the id of a new token. Raises NotImplementedError if the token has a session."""
        if conf.LISTS_ENABLED and (self.token is not None or SESSION_CLAIM in self.payload):
            raise NotImplementedError(NO_NEW_ID)
        super().set_jti()

    def verify(self) -> None:
        super().verify()
        if conf.LISTS_ENABLED:
            self.check_blacklist()

    def verify_claims(self) -> None:
        super().verify_claims()
        if conf.LISTS_ENABLED:
            self.read_generation()
            self.read_sign_in()

    @property
    def session_id(self) -> str:
        """The session id: `sid`, or the token's jti if it has none (tokens of Simple JWT)."""
        claim = SESSION_CLAIM if SESSION_CLAIM in self.payload else conf.JTI_CLAIM
        return self.identifier(claim)

    def read_generation(self) -> int:
        """Return how often the session had been refreshed when the token was issued."""
        jti, session_id = self.jti, self.session_id
        if jti == session_id:
            return 0
        later = LATER_JTI.fullmatch(jti)
        if later is None or later["session_id"] != session_id:
            raise TokenError(_("Token has an invalid id"))
        return int(later["generation"])

    def read_sign_in(self) -> datetime:
        """Return when the session was opened: `auth_time`, or `iat` in tokens of Simple JWT."""
        claim = AUTH_TIME_CLAIM if AUTH_TIME_CLAIM in self.payload else "iat"
        return self.timestamp(claim)

    @property
    def is_remembered(self) -> bool:
        """Whether the session outlives the browser that signed in (the claim `remember`)."""
        return self.payload.get(REMEMBER_CLAIM) is not False

    generation = property(read_generation)
    signed_in_at = property(read_sign_in)

    def session_claims(self, user_id: Any) -> SessionClaims:
        """Return what `sessions/` needs of the claims. Raises TokenError."""
        return SessionClaims(
            session_id=self.session_id if conf.LISTS_ENABLED else None,
            generation=self.generation if conf.LISTS_ENABLED else 0,
            user_id=user_id,
            signed_in_at=self.signed_in_at,
            expires_at=self.timestamp("exp"),
            now=as_utc(self.current_time),
            lifetime=self.lifetime,
            remember=self.is_remembered,
            has_sid=SESSION_CLAIM in self.payload,
        )

    def get_user(self) -> Any:
        return self.session_claims(self.user_id).prove()

    def check_blacklist(self) -> None:
        """Raise TokenError unless the token is in force in a live session. One SELECT."""
        self.session_claims(self._user_id_or_none()).check_row()

    @classmethod
    def for_user(cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None) -> Self:
        """Open a session and return its first token. One INSERT.

        The session records the client address and user agent of `request`.
        """
        token = cls.of_new_session(user, request)
        token.open_session(request)
        return token

    @classmethod
    def of_new_session(
        cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None
    ) -> Self:
        """Return the first token of a session that has no row before `open_session`."""
        token = super().for_user(user)
        token.add_session_claims(request)
        if not is_remembered():
            token[REMEMBER_CLAIM] = False
        if conf.LISTS_ENABLED:
            token._begin_session()
        return token

    def add_session_claims(self, request: Request | HttpRequest | None) -> None:
        """Add what SESSION_CLAIMS returns. Later tokens of the session are copies, and have it too.

        Raises:
            ImproperlyConfigured: SESSION_CLAIMS returns a claim that the app sets itself.
        """
        if conf.SESSION_CLAIMS is not None:
            claims = conf.SESSION_CLAIMS(self.user, current_request(request))
            self._add_claims("SESSION_CLAIMS", claims)

    def open_session(self, request: Request | HttpRequest | None = None) -> None:
        """Insert the row of a new session. Raises AuthenticationFailed if the user has changed."""
        if conf.LISTS_ENABLED:
            columns = self.session_claims(None).columns(self.user, client_of(request))
            open_session(OutstandingToken(**columns))
            self._note_row()

    @classmethod
    def of_session(
        cls, session: OutstandingToken, *, generation: int | None = None, remember: bool = True
    ) -> Self:
        """Return the token of a session that has a row. No query.

        `generation` is by default the current one. The token has only the app's claims.
        """
        token = super().for_user(session.user)  # type: ignore[arg-type]  # a live session has one
        signed_in_at = aware(session.created_at or aware_now())
        token.payload |= {
            "exp": keys.epoch(aware(session.expires_at)),
            "iat": keys.epoch(aware(session.refreshed_at or signed_in_at)),
            conf.JTI_CLAIM: jti_of(
                session.session_id, session.generation if generation is None else generation
            ),
            SESSION_CLAIM: session.session_id,
            AUTH_TIME_CLAIM: keys.epoch(signed_in_at),
            **({} if remember else {REMEMBER_CLAIM: False}),
        }
        token._note_row()
        return token

    def outstand(self) -> tuple[OutstandingToken, bool]:
        """Return the session's record and whether this call inserted it, if there was none.

        A token that was not signed yet opens a session: it gets `sid` and `auth_time`.
        """
        row, is_new = self._recordable_claims().record()
        if is_new:
            self._note_row()
        return row, is_new

    def signed(self) -> dict[str, str]:
        """Return the signed tokens for the response to a refresh."""
        return {"token": str(self)}

    def refresh(self, client: Client | None = None) -> dict[str, str]:
        """Advance the session, and return the signed tokens that are in force afterwards.

        They are signed before the row changes, so that a failure consumes nothing.
        """
        claims = self.session_claims(self.user_id)
        following = next_claims(claims)
        signed = self._issued(following).signed()
        in_force = refresh(claims, following, client)
        return signed if in_force is following else self._issued(in_force).signed()

    def blacklist(
        self, *, reason: str = BlacklistedToken.Reason.API, by: Any = None
    ) -> tuple[BlacklistedToken | None, bool]:
        """End the token's session, whichever generation this token is.

        Return its record, or None if the session was flushed at the same time, and whether this
        call inserted it. Raises TokenError if the session belongs to another user.
        """
        return end_session(self._recordable_claims(), reason=reason, by=by)

    def _issued(self, claims: SessionClaims) -> Self:
        """Return the token with these claims about its session, and all others of this one."""
        if not conf.ROTATE_REFRESH_TOKENS:
            self.set_user(claims.user)
            return self
        token = self.with_claims(self.payload.copy())
        token.current_time = claims.now
        token["iat"], token["exp"] = keys.epoch(claims.now), keys.epoch(claims.expires_at)
        if conf.LISTS_ENABLED:
            token[conf.JTI_CLAIM] = jti_of(claims.session_id, claims.generation)
            token[SESSION_CLAIM] = claims.session_id
            token[AUTH_TIME_CLAIM] = keys.epoch(claims.signed_in_at)
            token.is_repeatable = True
        else:
            token.set_jti()
        token.set_user(claims.user)
        return token

    def _begin_session(self) -> None:
        self.payload[SESSION_CLAIM] = self.payload[conf.JTI_CLAIM]
        self.payload[AUTH_TIME_CLAIM] = self.payload["iat"]
        self._limit_expiry()

    def _limit_expiry(self) -> None:
        """Let the token expire with SESSION_LIFETIME, or SHORT_SESSION_LIFETIME, at the latest."""
        self.payload["exp"] = keys.epoch(self.timestamp("exp"))
        longest = conf.longest_lifetime(remember=self.is_remembered)
        if longest is not None:
            end = keys.epoch(self.signed_in_at + longest)
            self.payload["exp"] = min(self.payload["exp"], end)

    def _note_row(self) -> None:
        self._in_row = self.get(conf.JTI_CLAIM), self.get("exp")

    def _check_id(self) -> None:
        """Raise NotImplementedError if the token's id is not one of its session."""
        is_changed = self._in_row is not None and self._in_row[0] != self.get(conf.JTI_CLAIM)
        if not is_changed and SESSION_CLAIM in self:
            try:
                self.read_generation()
            except TokenError:
                is_changed = True
        if is_changed:
            raise NotImplementedError(NO_NEW_ID)

    def _move_row(self) -> None:
        """Let the session expire with this token. One UPDATE. Raises TokenError if it has ended."""
        claims = self.session_claims(None)
        if not move_expiry(claims) and (claims.needs_record or claims.find_row()):
            raise TokenError(_("Token is blacklisted"))
        self._note_row()

    def _recordable_claims(self) -> SessionClaims:
        """Return the claims for a call that may record the session. A new token begins one."""
        if not conf.LISTS_ENABLED:
            raise ImproperlyConfigured(
                "There are no token lists: add 'token_blacklist' to INSTALLED_APPS and run migrate."
            )
        if self.token is None and SESSION_CLAIM not in self.payload:
            self._begin_session()
        return self.session_claims(self._user_id_or_none())


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
    latest_exp: int | None = None  # when the refresh token expires that it was made from

    def __str__(self) -> str:
        if self.latest_exp is not None:
            self["exp"] = min(keys.epoch(self.timestamp("exp")), self.latest_exp)
        return super().__str__()


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

    def signed(self) -> dict[str, str]:
        signed = {"access": str(self.access_token)}
        return signed | {"refresh": str(self)} if conf.ROTATE_REFRESH_TOKENS else signed

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
        access.latest_exp = keys.epoch(self.timestamp("exp"))
        access["exp"] = min(access["exp"], access.latest_exp)
        no_copy = {*self.no_copy_claims, REMEMBER_CLAIM}
        for claim, value in self.payload.items():
            if claim not in no_copy:
                access[claim] = value
        if conf.USER_CLAIMS is not None:
            access.set_user(self.user or find_user(self._user_id_or_none()))
        return access


class UntypedToken(Token):
    """A token of any type with a valid signature, to inspect its claims."""

    token_type = "untyped"  # noqa: S105  # a type, no secret
    lifetime = timedelta(0)

    def verify_token_type(self) -> None:
        """Accept every type."""
