"""The input and output of the token endpoints, with Simple JWT's names and fields."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractBaseUser, update_last_login
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.utils.functional import classproperty
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from . import keys
from .clients import client_of, on_behalf_of, remembering
from .conf import conf
from .exceptions import WRONG_CREDENTIALS, AuthenticationFailed, ErrorCodes, TokenError
from .models import BlacklistedToken, OutstandingToken
from .token_user import AuthUser  # noqa: F401  # Simple JWT has it here
from .tokens import (
    AccessToken,
    BlacklistMixin,
    RefreshToken,
    SlidingToken,
    Token,
)
from .users import has_column, is_login, may_use_tokens

ACCESS_HELP = "Send it with each request: `Authorization: Bearer <access>`."
REFRESH_HELP = (
    "Works for one refresh. Missing if it is in the cookie, or if refresh tokens are not rotated."
)
REMEMBER_HELP = (
    "`false`: the session expires SHORT_SESSION_LIFETIME after the sign-in in any case, and the "
    "refresh cookie ends with the browser. The default is `true`."
)
T = TypeVar("T", bound=Token)


class ShortTextField(serializers.CharField):
    """A string whose length is checked before any validator runs.

    Not by Django's validator: its ValidationError is a reference cycle, which keeps the refused
    string in memory until the garbage collector runs.
    """

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if self.max_length is not None and len(text) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return text


class PasswordField(ShortTextField):
    """A password. Leading and trailing spaces are part of it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        kwargs.setdefault("write_only", True)
        kwargs.setdefault("style", {"input_type": "password"})
        super().__init__(**kwargs)


class TrimmedField(serializers.CharField):
    """A string that is not blank after trimming. The schema describes it."""


class TokenField(TrimmedField):
    """A token in compact form (RFC 7519)."""

    def run_validators(self, value: str) -> None:
        # The validators search for NUL and surrogates, which is slow for long strings.
        if not (value.isascii() and value.isprintable()):
            super().run_validators(value)


class TransportField(serializers.ChoiceField):
    """Where the refresh token is sent: in the `body`, or in an HttpOnly `cookie`."""

    default_error_messages = {"invalid_choice": _('Must be "body" or "cookie".')}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text",
            "Where to put the refresh token: `body` (the default), or `cookie` for an HttpOnly "
            "cookie, which needs a CSRF token.",
        )
        super().__init__(("body", "cookie"), **kwargs)


class TokenObtainSerializer(serializers.Serializer[Any]):
    """Signs a user in by the field of USERNAME_FIELD, such as `email`, and `password`."""

    token_class: ClassVar[type[Token]]
    username_field = classproperty(lambda cls: get_user_model().USERNAME_FIELD)
    user: AbstractBaseUser

    default_error_messages = {"no_active_account": WRONG_CREDENTIALS}
    # For the API description. A subclass adds the codes of its own errors.
    error_codes: ErrorCodes = {401: ("no_active_account",)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[self.username_field] = TrimmedField(write_only=True)
        self.fields["password"] = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        credentials = {self.username_field: attrs[self.username_field]}
        user = self.authenticate(credentials, attrs["password"])
        if user is None or not may_use_tokens(user):
            if conf.ON_LOGIN_FAILED:
                conf.ON_LOGIN_FAILED(credentials, self.context.get("request"))
            raise AuthenticationFailed(
                self.error_messages["no_active_account"], code="no_active_account"
            )
        self.user = user
        return {}

    def authenticate(self, credentials: dict[str, Any], password: str) -> Any:
        """Return the user with these credentials, or None. Override it to ask for more."""
        try:
            return authenticate(self.context.get("request"), **credentials, password=password)
        except (ValueError, ValidationError):
            # Django raises them for a login that is no number, if the column is one.
            if self.username_field != get_user_model().USERNAME_FIELD:
                raise
            if is_login(credentials[self.username_field]):
                raise
            return None

    @classmethod
    def get_token(cls, user: AbstractBaseUser) -> Any:
        """Open a session and return its first token. Override it to add claims."""
        return cls.token_class.for_user(user)

    @classmethod
    def signed(cls, token: Any) -> dict[str, str]:
        """Return what a sign-in answers with this first token of a session."""
        return {"token": str(token)}

    @classmethod
    def new_session(cls, user: AbstractBaseUser, request: Any) -> dict[str, str]:
        """Open a session, which records the client of the request; return its signed tokens.

        They are signed before the one INSERT, so that a failure leaves no row. Code of the site
        in `get_token` or `for_user` finds the row, as with Simple JWT: then in a transaction.
        """
        with on_behalf_of(request):
            if cls._has_own_token():
                with _atomic():
                    return cls.signed(cls.get_token(user))
            token = cast("type[BlacklistMixin]", cls.token_class).of_new_session(user)
            token.read_user_id()  # no session for a user whom its tokens cannot name
            signed = cls.signed(token)
            token.open_session()
            return signed

    @classmethod
    def _has_own_token(cls) -> bool:
        """Return whether code of the site makes the first token."""
        makers = _definer(cls, "get_token"), _definer(cls.token_class, "for_user")
        return makers != (TokenObtainSerializer, BlacklistMixin)

    def sign_in(self) -> dict[str, str]:
        """Open a session for the user, and do what the site does at each sign-in."""
        request = self.context.get("request")
        with _atomic() if conf.UPDATE_LAST_LOGIN or conf.ON_LOGIN_SUCCESS else nullcontext():
            signed = self.new_session(self.user, request)
            if conf.UPDATE_LAST_LOGIN and has_column("last_login"):
                update_last_login(None, self.user)  # type: ignore[arg-type]  # any sender will do
            if conf.ON_LOGIN_SUCCESS:
                conf.ON_LOGIN_SUCCESS(self.user, request)
        return signed


def _definer(of: type, name: str) -> type:
    """Return the class that defines the method with that name."""
    return next(each for each in of.__mro__ if name in vars(each))


def _atomic() -> AbstractContextManager[None]:
    """Return a transaction on the database of the sessions, if there are any."""
    using = router.db_for_write(OutstandingToken)
    return transaction.atomic(using) if conf.LISTS_ENABLED else nullcontext()


class TokenObtainPairSerializer(TokenObtainSerializer):
    token_class = RefreshToken
    transport = TransportField(default="body", write_only=True)
    remember = serializers.BooleanField(default=True, write_only=True, help_text=REMEMBER_HELP)
    refresh = serializers.CharField(read_only=True, help_text=REFRESH_HELP)
    access = serializers.CharField(read_only=True, help_text=ACCESS_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        data = super().validate(attrs)
        with remembering(attrs.get("remember", True)):
            return data | self.sign_in()

    @classmethod
    def signed(cls, token: RefreshToken) -> dict[str, str]:
        return {"refresh": str(token), "access": str(token.access_token)}


class TokenObtainSlidingSerializer(TokenObtainSerializer):
    token_class = SlidingToken
    token = serializers.CharField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate(attrs) | self.sign_in()


class TokenRefreshSerializer(serializers.Serializer[Any]):
    refresh = TokenField(help_text=REFRESH_HELP)
    access = serializers.CharField(read_only=True, help_text=ACCESS_HELP)
    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = self.token_class.authentic(attrs["refresh"])
        return token.refresh(client_of(self.context.get("request")))


class TokenRefreshSlidingSerializer(serializers.Serializer[Any]):
    token = TokenField()
    token_class = SlidingToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = self.token_class.authentic(attrs["token"])
        token.check_exp(conf.SLIDING_TOKEN_REFRESH_EXP_CLAIM)
        return token.refresh(client_of(self.context.get("request")))


class TokenVerifySerializer(serializers.Serializer[Any]):
    """A token of any type. It is valid if it would be accepted for its purpose."""

    token = TokenField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token_of_any_type(attrs["token"]).get_user()
        return {}


class TokenBlacklistSerializer(serializers.Serializer[Any]):
    """A refresh or sliding token of any generation, whose session is revoked."""

    refresh = TokenField(write_only=True, help_text="Leave it out to use the refresh cookie.")
    token_classes: tuple[type[BlacklistMixin], ...] = (RefreshToken, SlidingToken)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = _token_of_its_type(attrs["refresh"], self.token_classes)
        token.blacklist(reason=BlacklistedToken.Reason.LOGOUT)
        return {}


def token_of_any_type(encoded: str) -> Token:
    """Return the token as an instance of the class for its type. No query. Raises TokenError."""
    known: Any = (RefreshToken, SlidingToken, AccessToken, *conf.AUTH_TOKEN_CLASSES)
    token: Token = _token_of_its_type(encoded, known)
    return token


def _token_of_its_type(encoded: str, known: Iterable[type[T]]) -> T:
    """Return the token as an instance of the class for its type. No query."""
    claims = keys.decode(encoded)
    for token_class in known:
        if claims.get(conf.TOKEN_TYPE_CLAIM) == token_class.token_type:
            return token_class.authentic(encoded, claims)
    raise TokenError(_("Token has wrong type"))
