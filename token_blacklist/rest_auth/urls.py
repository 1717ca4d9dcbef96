"""dj-rest-auth's URLs, with views that refresh and end the sessions of this app."""

from __future__ import annotations

from typing import Any

from dj_rest_auth.app_settings import api_settings
from dj_rest_auth.jwt_auth import set_jwt_access_cookie, set_jwt_refresh_cookie
from dj_rest_auth.urls import urlpatterns as theirs
from dj_rest_auth.views import LogoutView as TheirLogoutView
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ..conf import conf
from ..exceptions import InvalidToken, TokenError
from ..serializers import TokenBlacklistSerializer
from ..sessions.end import sign_out
from ..tokens import SESSION_CLAIM, AccessToken
from ..views import TokenRefreshView, TokenVerifyView


def refresh_token_of(request: Request) -> Any:
    """Return the refresh token in the body or in dj-rest-auth's cookie, or None."""
    body = request.data if isinstance(request.data, dict) else {}
    cookie = api_settings.JWT_AUTH_REFRESH_COOKIE
    return body.get("refresh") or (request.COOKIES.get(cookie) if cookie else None)


class CookieTokenRefreshView(TokenRefreshView):
    """Refreshes the token in the body or in dj-rest-auth's cookie, and sets its cookies."""

    reads_cookie = False  # REFRESH_COOKIE_NAME

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        token = refresh_token_of(request)
        if token is None:
            raise InvalidToken(_("No valid refresh token found."))
        data = self.validated({"refresh": token})
        response = Response(data)
        set_jwt_access_cookie(response, data["access"])
        data["access_expiration"] = timezone.now() + conf.ACCESS_TOKEN_LIFETIME
        if "refresh" in data:
            set_jwt_refresh_cookie(response, data["refresh"])
            if api_settings.JWT_AUTH_HTTPONLY:
                del data["refresh"]
            else:
                data["refresh_expiration"] = timezone.now() + conf.REFRESH_TOKEN_LIFETIME
        return response


class LogoutView(TheirLogoutView):  # type: ignore[misc]  # without types
    """Ends the session of the refresh token, or of the access token if there is no other."""

    def logout(self, request: Request) -> Response:
        problem = self.end_session(request)  # first, because theirs forgets the user
        response: Response = super().logout(request)
        if problem is None:
            response.data = {"detail": _("Successfully logged out.")}
        else:
            response.data = {"detail": problem}
            response.status_code = status.HTTP_401_UNAUTHORIZED
        return response

    def end_session(self, request: Request) -> Any:
        """End the session of the request; return why there is none to end, or None."""
        token = refresh_token_of(request)
        if token is None:
            return self.end_session_of_access_token(request.auth)
        try:
            TokenBlacklistSerializer(data={"refresh": token}).is_valid(raise_exception=True)
        except TokenError as error:
            return str(error)
        except ValidationError:
            return _("Token is invalid")
        return None

    def end_session_of_access_token(self, token: Any) -> Any:
        if isinstance(token, AccessToken) and SESSION_CLAIM in token:
            sign_out(token.identifier(SESSION_CLAIM), token.user_id)
            return None
        return _("Refresh token was not included in request data.")


OURS = {
    "rest_logout": LogoutView,
    "token_refresh": CookieTokenRefreshView,
    "token_verify": TokenVerifyView,
}
urlpatterns = [
    URLPattern(pattern.pattern, OURS[pattern.name].as_view(), name=pattern.name)
    if pattern.name in OURS and api_settings.USE_JWT
    else pattern
    for pattern in theirs
]
