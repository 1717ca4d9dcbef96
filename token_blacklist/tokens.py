"""The tokens: what they claim, how they are made, and the lists that some of them are on.

Claims are those of RFC 7519, plus `token_type`, `user_id`, `sid` (the session, as in OpenID
Connect Front-Channel Logout) and `auth_time` (OpenID Connect Core section 2).
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import NAMESPACE_OID, uuid4, uuid5

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import router, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from . import keys
from .clients import Client, client_of
from .conf import conf
from .exceptions import WRONG_CREDENTIALS, AuthenticationFailed, ExpiredTokenError, TokenError
from .models import (
    LATER_JTI,
    BlacklistedToken,
    OutstandingToken,
    active_users,
)
from .signals import token_issued
from .statements import Statement, insert, param, prepared

SESSION_CLAIM = "sid"
AUTH_TIME_CLAIM = "auth_time"
IDENTIFIER_LENGTH = 255  # what the session_id column holds


class FromConf:
    """A class attribute whose value is an option, read when asked for and not at import."""

    def __init__(self, option: str) -> None:
        self.option = option

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(conf, self.option)


class Token:
    """A JSON Web Token: wraps an encoded one, or builds a new one.

    `Token(encoded)` raises TokenError unless the token may be trusted; `str(token)` signs it.
    """

    token_type: ClassVar[str | None] = None
    lifetime: ClassVar[Any] = None  # a timedelta
    has_user_claims: ClassVar[bool] = True  # those of USER_CLAIMS
    user: AbstractBaseUser | None = None  # where it is loaded: the token's user

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        if self.token_type is None or self.lifetime is None:
            raise TokenError(_("Cannot create token with no type or lifetime"))
        self.token = token
        self.current_time = timezone.now()
        self.payload: dict[str, Any]
        if token is not None:
            self.payload = keys.decode(token, verify=verify)
            if verify:
                self.verify()
        else:
            self.payload = {conf.TOKEN_TYPE_CLAIM: self.token_type}
            self.set_exp()
            self.set_iat()
            self.set_jti()

    @classmethod
    def authentic(cls, encoded: str | bytes) -> Self:
        """Return the token if its signature, times, type and claims are right.

        Asks no database: whether it was ended meanwhile is for the caller to find out.
        """
        return cls.claiming(keys.decode(encoded), encoded)

    @classmethod
    def claiming(cls, claims: dict[str, Any], encoded: str | bytes) -> Self:
        """Return the token of claims that were decoded already, if they are right for it."""
        token = cls.with_claims(claims)
        token.token = encoded
        token.verify_claims()
        return token

    @classmethod
    def with_claims(cls, claims: dict[str, Any]) -> Self:
        """Return a token that makes exactly these claims."""
        token = cls.__new__(cls)
        token.token = None
        token.current_time = timezone.now()
        token.payload = claims
        return token

    @classmethod
    def for_user(cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None) -> Self:
        """Return a new token for the user, who has proved who they are."""
        token = cls()
        token[conf.USER_ID_CLAIM] = str(getattr(user, conf.USER_ID_FIELD))
        token.set_user(user)
        return token

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.payload.get(conf.JTI_CLAIM)}>"

    def __str__(self) -> str:
        return keys.encode(self.payload)

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
        """Check what the signature does not; raise TokenError. Subclasses add to it."""
        self.verify_claims()

    def verify_claims(self) -> None:
        """Check the claims that every token here has: expiry, id and type."""
        self.check_exp()
        if conf.JTI_CLAIM is not None:
            self.jti  # noqa: B018  # raises
        self.verify_token_type()

    def verify_token_type(self) -> None:
        """Check that this is the kind of token it is used as (RFC 8725 section 3.12)."""
        if conf.TOKEN_TYPE_CLAIM not in self.payload:
            raise TokenError(_("Token has no type"))
        if self.payload[conf.TOKEN_TYPE_CLAIM] != self.token_type:
            raise TokenError(_("Token has wrong type"))

    @property
    def jti(self) -> str:
        """The token's id (RFC 7519 section 4.1.7)."""
        return self.identifier(conf.JTI_CLAIM)

    def identifier(self, claim: str) -> str:
        """Return a claim that is an id: a string a database can hold. Raises TokenError."""
        value = self.payload.get(claim)
        if value is None:
            raise TokenError(_("Token has no id"))
        if not _is_plain_text(value):
            raise TokenError(_("Token has an invalid id"))
        return str(value)

    @property
    def user_id(self) -> Any:
        """The value of USER_ID_FIELD that the token speaks for, in that field's own type."""
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
        # As it was written, and in no other way: Python reads "01" and the Arabic digit one as 1.
        if str(value) != str(claim):
            raise TokenError(_("Token contained no recognizable user identification"))
        return value

    def find_user(self) -> Any:
        """Return the user whom the token names, or None. One SELECT."""
        try:
            lookup = {conf.USER_ID_FIELD: self.user_id}
        except TokenError:
            return None
        return get_user_model()._default_manager.filter(**lookup).first()

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
        """Give the token an id that no other has (RFC 7519 section 4.1.7)."""
        if conf.JTI_CLAIM is not None:
            self.payload[conf.JTI_CLAIM] = uuid4().hex

    def set_exp(
        self,
        claim: str = "exp",
        from_time: datetime | None = None,
        lifetime: timedelta | None = None,
    ) -> None:
        """Set the end of the token's life (RFC 7519 section 4.1.4)."""
        end = (from_time or self.current_time) + (self.lifetime if lifetime is None else lifetime)
        self.payload[claim] = keys.epoch(end)

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        """Set the time of issue (RFC 7519 section 4.1.6)."""
        self.payload[claim] = keys.epoch(at_time or self.current_time)

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Raise TokenError if the time in the claim has passed, the leeway included."""
        if claim not in self.payload:
            raise TokenError(_("Token has no '%s' claim") % claim)
        if self.moment(claim) <= (current_time or self.current_time) - conf.LEEWAY:
            raise ExpiredTokenError(_("Token is expired"))

    def moment(self, claim: str) -> datetime:
        """Return a NumericDate claim (RFC 7519 section 2) as a time. Raises TokenError."""
        value = self.payload.get(claim)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TokenError(_("Token has an invalid '%s' claim") % claim)
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise TokenError(_("Token has an invalid '%s' claim") % claim) from error


class BlacklistMixin(Token):
    """For tokens that are on the lists: each belongs to a session, and can be ended.

    Where the app is not in INSTALLED_APPS these tokens sign and verify without lists.
    """

    is_repeatable = False  # True: access_token is the same each time, for a repeated refresh

    def verify(self) -> None:
        super().verify()
        if conf.LISTS_ENABLED:
            self.check_blacklist()

    def verify_claims(self) -> None:
        super().verify_claims()
        if conf.LISTS_ENABLED:
            self.generation  # noqa: B018  # raises
            self.signed_in_at  # noqa: B018  # raises: what cannot be refreshed is refused everywhere

    @property
    def session_id(self) -> str:
        """The session: `sid`, or the token's own jti where it has none (Simple JWT's tokens)."""
        claim = SESSION_CLAIM if SESSION_CLAIM in self.payload else conf.JTI_CLAIM
        return self.identifier(claim)

    @property
    def generation(self) -> int:
        """How often the session had been refreshed when this token was issued."""
        jti, session_id = self.jti, self.session_id
        if jti == session_id:
            return 0
        later = LATER_JTI.fullmatch(jti)
        if later is None or later["session_id"] != session_id:
            raise TokenError(_("Token has an invalid id"))
        return int(later["generation"])

    @property
    def signed_in_at(self) -> datetime:
        """`auth_time`; Simple JWT's tokens have none and say when they were issued."""
        claim = AUTH_TIME_CLAIM if AUTH_TIME_CLAIM in self.payload else "iat"
        return self.moment(claim)

    @property
    def needs_record(self) -> bool:
        """Whether the token is refused where the lists do not know it.

        A `sid` says that there was a record: one that is gone is never trusted again.
        """
        return conf.REQUIRE_OUTSTANDING or SESSION_CLAIM in self.payload

    def check_blacklist(self) -> None:
        """Raise TokenError unless the token's session is live and this its token in force.

        One SELECT.
        """
        record = self.find_record()
        if record is None:
            if self.needs_record:
                raise TokenError(_("Token has no session: it has ended"))
        elif record.is_blacklisted or not record.accepts(self.generation, self.current_time):
            raise TokenError(_("Token is blacklisted"))
        elif record.is_expired(self.current_time):
            raise ExpiredTokenError(_("Token is expired"))
        else:
            self._check_holder(record)

    def find_record(self) -> OutstandingToken | None:
        """Return the session's record with its user and blacklist record. One SELECT."""
        return (
            OutstandingToken.objects.select_related("user", "blacklistedtoken")
            .filter(session_id=self.session_id)
            .first()
        )

    def blacklist(
        self, *, reason: str = BlacklistedToken.Reason.API, by: Any = None
    ) -> BlacklistedToken | None:
        """End the token's session, whichever generation this token is, and return the record.

        A token that the lists do not know is put on both. Calling it again changes nothing.
        None: the session was flushed at this very moment, which ended it too. Raises TokenError
        if the session is not that of the user whom the token names.
        """
        self._require_lists()
        signs_out = by is None and reason == BlacklistedToken.Reason.LOGOUT
        if signs_out and conf.USER_ID_CLAIM in self.payload:
            entry = BlacklistedToken.objects.insert_sign_out(self.session_id, self.user_id)
            if entry is not None:
                return entry
        record = self.find_record() or self.outstand()
        self._check_holder(record)
        if record.is_blacklisted:
            return record.blacklistedtoken
        if signs_out:
            by = record.user  # who brings the token signs themselves out
        return BlacklistedToken.objects.insert(record, reason=reason, by=by)[0]

    def _check_holder(self, record: OutstandingToken) -> None:
        """Raise TokenError if the session is somebody else's than the token says."""
        user = record.user  # None: deleted since, or the token never named one
        if user is not None and getattr(user, conf.USER_ID_FIELD) != self.user_id:
            raise TokenError(_("Token is invalid"))

    def outstand(self) -> OutstandingToken:
        """Return the session's record, and make it if there is none.

        A token that was not signed yet opens a session with it: it gets `sid` and `auth_time`.
        """
        self._require_lists()
        if self.token is None and SESSION_CLAIM not in self.payload:
            self._open_session()
        fields = self._new_record(self.find_user(), client_of(None))
        record, created = OutstandingToken.objects.get_or_create(
            session_id=fields.pop("session_id"), defaults=fields
        )
        if created:
            self._announce(record)
        return record

    @classmethod
    def for_user(cls, user: AbstractBaseUser, request: Request | HttpRequest | None = None) -> Self:
        """Open a session: return its first token, and put it on the outstanding list.

        One INSERT. `request` tells the record the client's address and user agent.
        """
        token = super().for_user(user, request)
        if conf.LISTS_ENABLED:
            token._open_session()
            token._insert(user, client_of(request))
        return token

    def _insert(self, user: AbstractBaseUser, client: Client) -> None:
        """Put the session on the list, if its user is still as they were when they proved it.

        A password change or a deactivation at the same moment either sees this session, and
        ends it, or is seen here: without the condition a thief's sign-in with the old
        password could slip in behind it.
        """
        fields = self._new_record(user, client)
        using = router.db_for_write(OutstandingToken)
        with transaction.atomic(using) if conf.MAX_SESSIONS_PER_USER else nullcontext():
            values = {**fields, "user": user.pk, "password": user.password}
            if not _opening(using).rows(**values):
                raise AuthenticationFailed(WRONG_CREDENTIALS, code="no_active_account")
            if conf.MAX_SESSIONS_PER_USER:
                # The user's row is locked until the commit, so that sign-ins count in turn.
                self._end_oldest_sessions(user, conf.MAX_SESSIONS_PER_USER)
        self._announce(OutstandingToken(**fields))

    def _end_oldest_sessions(self, user: Any, limit: int) -> None:
        live = OutstandingToken.objects.filter(user=user).live(self.current_time)
        surplus = live.order_by("-pk").values("pk")[limit:]
        BlacklistedToken.objects.insert_all(
            OutstandingToken.objects.filter(pk__in=surplus), reason=BlacklistedToken.Reason.API
        )

    def _announce(self, record: OutstandingToken) -> None:
        token_issued.announce(
            OutstandingToken, session_id=record.session_id, user_id=record.user_id
        )

    def _open_session(self) -> None:
        self.payload[SESSION_CLAIM] = self.payload[conf.JTI_CLAIM]
        self.payload[AUTH_TIME_CLAIM] = self.payload["iat"]
        if conf.SESSION_LIFETIME is not None:
            end = keys.epoch(self.signed_in_at + conf.SESSION_LIFETIME)
            self.payload["exp"] = min(self.payload["exp"], end)

    def _new_record(self, user: Any, client: Client) -> dict[str, Any]:
        return {
            "user": user,
            "session_id": self.session_id,
            "generation": self.generation,
            "created_at": self.signed_in_at,
            "expires_at": self.moment("exp"),
            "ip_address": client.ip_address,
            "user_agent": client.user_agent,
        }

    def _require_lists(self) -> None:
        if not conf.LISTS_ENABLED:
            raise ImproperlyConfigured(
                "There are no token lists: add 'token_blacklist' to INSTALLED_APPS and run migrate."
            )


class SlidingToken(BlacklistMixin, Token):
    """One token for both: it authenticates requests, and is exchanged for a later one."""

    token_type = "sliding"  # noqa: S105  # a type, no secret
    lifetime = FromConf("SLIDING_TOKEN_LIFETIME")

    def __init__(self, token: str | bytes | None = None, verify: bool = True) -> None:
        super().__init__(token, verify)
        if token is None:
            self.set_exp(
                conf.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
                lifetime=conf.SLIDING_TOKEN_REFRESH_LIFETIME,
            )


class AccessToken(Token):
    """What a request is authenticated with. Short-lived; ends at once with its session."""

    token_type = "access"  # noqa: S105  # a type, no secret
    lifetime = FromConf("ACCESS_TOKEN_LIFETIME")


class RefreshToken(BlacklistMixin, Token):
    """What a session is kept alive with, and ended by."""

    token_type = "refresh"  # noqa: S105  # a type, no secret
    lifetime = FromConf("REFRESH_TOKEN_LIFETIME")
    has_user_claims = False
    access_token_class = AccessToken

    @property
    def no_copy_claims(self) -> tuple[str, ...]:
        """Claims that an access token does not take over from its refresh token."""
        return (conf.TOKEN_TYPE_CLAIM, "exp", conf.JTI_CLAIM, "jti", "iat", AUTH_TIME_CLAIM)

    @property
    def access_token(self) -> AccessToken:
        """A new access token of this session, which never outlives this refresh token.

        With USER_CLAIMS, one SELECT if the user is not loaded.
        """
        access = self.access_token_class()
        access.set_iat(at_time=self.current_time)
        access.set_exp(from_time=self.current_time)
        if self.is_repeatable:
            access[conf.JTI_CLAIM] = uuid5(NAMESPACE_OID, self.jti).hex
        access["exp"] = min(access["exp"], self.payload["exp"])
        no_copy = self.no_copy_claims
        for claim, value in self.payload.items():
            if claim not in no_copy:
                access[claim] = value
        if conf.USER_CLAIMS is not None:
            access.set_user(self.user or self.find_user())
        return access


class UntypedToken(Token):
    """Any genuine token, for looking at what it claims. Its type is not checked."""

    token_type = "untyped"  # noqa: S105  # a type, no secret
    lifetime = timedelta(0)

    def verify_token_type(self) -> None:
        """Accept every type."""


@prepared
def _opening(using: str) -> Statement:
    """Insert a session, if its user is still active and has the `password` hash."""
    user, session = get_user_model()._meta, OutstandingToken._meta
    columns = ("session_id", "generation", "created_at", "expires_at", "ip_address", "user_agent")
    unchanged = active_users().filter(
        pk=param("user", user.pk), password=param("password", user.get_field("password"))
    )
    values = {name: param(name, session.get_field(name)) for name in ("user", *columns)}
    return insert(OutstandingToken, values, unchanged, using, lock="NO KEY UPDATE")


def _reserved_claims() -> set[str | None]:
    options = (
        conf.USER_ID_CLAIM,
        conf.TOKEN_TYPE_CLAIM,
        conf.JTI_CLAIM,
        conf.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
    )
    return {"exp", "iat", "nbf", "jti", "aud", "iss", SESSION_CLAIM, AUTH_TIME_CLAIM, *options}


def _is_plain_text(value: Any) -> bool:
    """Whether a database can look the value up. NUL and lone surrogates are not printable."""
    return isinstance(value, str) and 0 < len(value) <= IDENTIFIER_LENGTH and value.isprintable()
