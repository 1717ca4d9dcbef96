"""An endpoint for reverse proxies that check each request before they pass it on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from ..authentication import JWTAuthentication
from ..tokens import SESSION_CLAIM
from ..views import JSONView

HEADER_SAFE = "@+.:_-"  # in a value that is not encoded


# One SELECT.
class TokenCheckView(JSONView):
    """Tells a reverse proxy whether to let a request through: 204 or 401.

    For `auth_request` of nginx, `forward_auth` of Caddy and ForwardAuth of Traefik. They pass
    `X-Auth-User`, the user's id, and `X-Auth-Session` on to the service behind them.
    """

    operation_id, summary = "token_check", "Check a request for a proxy"
    answers: dict[int, Any] = {204: None}

    authentication_classes = (JWTAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        token: Any = request.auth
        headers = {"X-Auth-User": quote(str(token.user_id), safe=HEADER_SAFE)}
        if SESSION_CLAIM in token:
            headers["X-Auth-Session"] = quote(token[SESSION_CLAIM], safe=HEADER_SAFE)
        return Response(status=204, headers=headers)


token_check = TokenCheckView.as_view()
