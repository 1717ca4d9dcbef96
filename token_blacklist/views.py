"""The token endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import ensure_csrf_cookie
from rest_framework import generics, views
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle

from .authentication import bearer_challenge
from .conf import conf
from .exceptions import (
    AuthenticationFailed,
    CookieFromAnotherOrigin,
    ErrorCodes,
    InvalidToken,
    NotSignedIn,
    TokenError,
    exception_handler,
)
from .middleware import refresh_token_of, shares_row
from .negotiation import OneRenderer
from .parsers import FormParser, JSONParser, MultiPartParser
from .refresh_cookie import delete_refresh_cookie, set_refresh_cookie
from .signals import token_refused


class NoStoreMixin(views.APIView):
    """Sets `Cache-Control: no-store`, because responses have tokens (RFC 6749 section 5.1).

    Not by Django's `cache_control`: `method_decorator` decorates the view for each request, which
    takes 3 % of a refresh.
    """

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class JSONView(NoStoreMixin):
    """A view whose JSON responses are not cached. Subclasses can require authentication."""

    permission_classes: Any = ()
    authentication_classes: Any = ()
    parser_classes = (JSONParser, FormParser, MultiPartParser)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = OneRenderer
    tags = ("token",)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return exception_handler

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the site's throttles, without a ScopedRateThrottle that has no rate for the view.

        It would fail at each request. A site that uses it for its own views need not limit these.
        """
        return [each for each in super().get_throttles() if not _lacks_rate(each, self)]


class TokenViewBase(JSONView, generics.GenericAPIView[Any]):
    """Passes a POST to the serializer from the settings and returns its result."""

    www_authenticate_realm = "api"
    serializer_setting: ClassVar[str]

    # A refused refresh must be able to end the session, but ATOMIC_REQUESTS rolls a 401 back. These
    # views need no transaction, because each of their statements is atomic.
    @transaction.non_atomic_requests
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def get_serializer_class(self) -> Any:
        return self.serializer_class or getattr(conf, self.serializer_setting)

    def get_authenticate_header(self, request: Request) -> str:
        return bearer_challenge(self.www_authenticate_realm)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.validated(request.data))

    def validated(self, data: Any) -> dict[str, Any]:
        """Return the serializer's result. A refused token raises InvalidToken (401)."""
        serializer = self.get_serializer(data=data)
        try:
            try:
                serializer.is_valid(raise_exception=True)
            except TokenError as error:
                raise InvalidToken.because(error) from error
        except AuthenticationFailed as error:
            token_refused.log_and_send(type(self), code=error.code)
            raise
        return serializer.validated_data  # type: ignore[no-any-return]  # validate() gives a dict


class RefreshCookieMixin:
    """Keeps the refresh token of a browser in an HttpOnly cookie, with Django's CSRF check."""

    error_codes: ErrorCodes = {403: ("cross_site", "csrf_failed")}
    reads_cookie = False

    def wants_cookie(self, request: Request) -> bool:
        """Return whether the body requests the cookie. If it does, check the CSRF token."""
        data = request.data
        wanted = isinstance(data, dict) and data.get("transport") == "cookie"
        if wanted:
            self.enforce_csrf(request)
        return wanted

    def enforce_csrf(self, request: Request) -> None:
        """Check the CSRF token.

        Raises:
            CookieFromAnotherOrigin: there cannot be one.
            PermissionDenied: it is missing or wrong.
        """
        check = CSRFCheck(lambda _request: None)  # type: ignore[arg-type]  # no next view
        check.process_request(request)
        reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
        if reason:
            if _is_cut_off_from_cookies(request):
                raise CookieFromAnotherOrigin
            detail = _("This page was open for too long. Reload it and try again.")
            raise PermissionDenied(
                {"detail": detail, "code": "csrf_failed", "messages": [{"message": str(reason)}]}
            )

    def refresh_cookie(self, request: Request) -> str | None:
        """Return the token in the cookie if the body has none, after a check of the CSRF token.

        With PAGES_SET_REFRESH_COOKIE and without the cookie, return a refresh token for the session
        of the request's Django session. One SELECT.

        Raises:
            InvalidToken: there is more than one cookie.
        """
        if isinstance(request.data, dict) and "refresh" in request.data:
            return None
        cookie = request.COOKIES.get(conf.REFRESH_COOKIE_NAME)
        if cookie is not None:
            self.enforce_csrf(request)
            if _times_sent(conf.REFRESH_COOKIE_NAME, request) > 1:
                # Another host of the domain may have set one, and they cannot be told apart.
                error = InvalidToken(
                    _("There is more than one refresh cookie. Delete the cookies and sign in.")
                )
                token_refused.log_and_send(type(self), code=error.code)
                raise error
        elif shares_row(request):
            self.enforce_csrf(request)
            token = refresh_token_of(request)
            return None if token is None else str(token)
        return cookie

    def answer_in_cookie(self, data: dict[str, Any]) -> Response:
        """Return the response with the refresh token in the cookie instead of the body."""
        refresh = data.pop("refresh", None)
        response = Response(data)
        if refresh is not None:
            set_refresh_cookie(response, refresh)
        return response

    def forget_cookie(self, response: Response) -> Response:
        delete_refresh_cookie(response)
        return response


class CookieTokenView(RefreshCookieMixin, TokenViewBase):
    """Takes the refresh token from the body, or else from the cookie."""

    error_codes: ErrorCodes = {401: ("not_signed_in", "token_not_valid")}
    reads_cookie = True

    def validated_body(self, request: Request) -> dict[str, Any]:
        """Return the serializer's result for a request without the cookie.

        To a client that does not use the cookie, a missing token is a missing field (400), as in
        Simple JWT: the site has PAGES_SET_REFRESH_COOKIE off, and the client sends no CSRF token.

        Raises:
            CookieFromAnotherOrigin: no token, and browsers send no cookie from that page.
            NotSignedIn: no token, and the browser has no cookie.
        """
        try:
            return self.validated(request.data)
        except ValidationError as error:
            uses_cookie = conf.PAGES_SET_REFRESH_COOKIE or settings.CSRF_HEADER_NAME in request.META
            if not uses_cookie or error.get_codes() != {"refresh": ["required"]}:
                raise
            if _is_cut_off_from_cookies(request):
                raise CookieFromAnotherOrigin from error
            raise NotSignedIn from error


@method_decorator(ensure_csrf_cookie, name="dispatch")
class CSRFCookieView(JSONView):
    """Sets the CSRF cookie, for pages that Django did not render.

    Send its value as `X-CSRFToken` with every call that uses the refresh cookie.
    """

    operation_id, summary = "token_csrf", "Get the CSRF cookie"
    answers: dict[int, Any] = {200: dict}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response({})


class TokenObtainPairView(RefreshCookieMixin, TokenViewBase):
    """Opens a session and returns its access token and its refresh token."""

    operation_id, summary = "token_obtain", "Sign in"
    serializer_setting = "TOKEN_OBTAIN_SERIALIZER"
    throttle_scope = "login"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if self.wants_cookie(request):
            return self.answer_in_cookie(self.validated(request.data))
        return Response(self.validated(request.data))


class TokenRefreshView(CookieTokenView):
    """Returns a new access token and the next refresh token.

    Store the new refresh token first: the one you sent works once. If no response arrives, send the
    same request again at once. Later it is treated as theft, and the session is revoked.

    Without `refresh`, the refresh cookie is used, or the page sign-in of a browser that has lost
    the cookie. Both need a CSRF token. Without either, the response is 401 `not_signed_in`.
    """

    operation_id, summary = "token_refresh", "Refresh"
    error_codes: ErrorCodes = {401: ("no_active_account",)}
    serializer_setting = "TOKEN_REFRESH_SERIALIZER"
    throttle_scope = "refresh"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        token = self.refresh_cookie(request)
        if token is None:
            return Response(self.validated_body(request))
        data = self.validated({"refresh": token})
        if conf.REFRESH_COOKIE_NAME not in request.COOKIES:
            data.setdefault("refresh", token)  # the token was not rotated, and the browser lacks it
        return self.answer_in_cookie(data)


class TokenVerifyView(TokenViewBase):
    """Returns 200 if the token would be accepted, else 401.

    An access token must be accepted by a request, a refresh token by a refresh. No token is
    changed.
    """

    operation_id, summary = "token_verify", "Check a token"
    answers: dict[int, Any] = {200: dict}
    error_codes: ErrorCodes = {401: ("token_not_valid", "user_inactive", "user_not_found")}
    serializer_setting = "TOKEN_VERIFY_SERIALIZER"


class TokenBlacklistView(CookieTokenView):
    """Revokes the session of the token, a refresh or sliding token (RFC 7009).

    All tokens of the session are refused at once, and a page sign-in of the same session ends. It
    is safe to call twice. Without `refresh`, the session is that of the refresh cookie or of the
    page sign-in. Without either, nothing was revoked, and the response is 401 `not_signed_in`.
    """

    operation_id, summary = "token_blacklist", "Sign out"
    answers: dict[int, Any] = {200: dict}
    serializer_setting = "TOKEN_BLACKLIST_SERIALIZER"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            cookie = self.refresh_cookie(request)
        except InvalidToken:
            self.deletes_cookie = True
            raise
        if cookie is None:
            return Response(self.validated_body(request))
        # The cookie is deleted even if the token is refused.
        self.deletes_cookie = True
        return Response(self.validated({"refresh": cookie}))

    deletes_cookie = False

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        return self.forget_cookie(response) if self.deletes_cookie else response


class TokenObtainSlidingView(TokenViewBase):
    """Opens a session and returns its sliding token, an access and refresh token in one.

    To sign out, send it as `refresh` to the sign-out endpoint.
    """

    operation_id, summary = "token_obtain_sliding", "Sign in with a sliding token"
    serializer_setting = "SLIDING_TOKEN_OBTAIN_SERIALIZER"
    throttle_scope = "login"


class TokenRefreshSlidingView(TokenViewBase):
    """Returns the next sliding token of the session. Refresh before the current one expires."""

    operation_id, summary = "token_refresh_sliding", "Refresh a sliding token"
    error_codes: ErrorCodes = {401: ("token_not_valid", "no_active_account")}
    serializer_setting = "SLIDING_TOKEN_REFRESH_SERIALIZER"
    throttle_scope = "refresh"


def _lacks_rate(throttle: BaseThrottle, view: views.APIView) -> bool:
    """Return whether DRF's throttle finds no rate for the scope of the view in the settings."""
    if not isinstance(throttle, ScopedRateThrottle):
        return False
    reads_settings = type(throttle).get_rate is ScopedRateThrottle.get_rate
    return (
        reads_settings and getattr(view, throttle.scope_attr, None) not in throttle.THROTTLE_RATES
    )


def _is_cut_off_from_cookies(request: Request) -> bool:
    """Return whether a page of another origin sent the request, and its browser no cookie at all.

    A site whose own settings let such a page use cookies gets at least the CSRF cookie.
    """
    is_of_another = request.META.get("HTTP_SEC_FETCH_SITE") in {"cross-site", "same-site"}
    return is_of_another and not request.COOKIES


def _times_sent(name: str, request: Request) -> int:
    """Return how often the Cookie header has that name. Django keeps only the last value."""
    pairs = (pair.partition("=") for pair in request.META.get("HTTP_COOKIE", "").split(";"))
    return sum(bool(equals) and key.strip() == name for key, equals, _value in pairs)


csrf_cookie = CSRFCookieView.as_view()
token_obtain_pair = TokenObtainPairView.as_view()
token_refresh = TokenRefreshView.as_view()
token_verify = TokenVerifyView.as_view()
token_blacklist = TokenBlacklistView.as_view()
token_obtain_sliding = TokenObtainSlidingView.as_view()
token_refresh_sliding = TokenRefreshSlidingView.as_view()
