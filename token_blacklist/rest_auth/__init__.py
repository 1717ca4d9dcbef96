"""For sites with dj-rest-auth, which imports Simple JWT itself: the same parts with this app.

REST_FRAMEWORK names the class here, and the URLs include `rest_auth.urls`. See docs/adopting.md.
"""

from __future__ import annotations

from dj_rest_auth.jwt_auth import JWTCookieAuthentication as _Theirs

from ..authentication import JWTAuthentication


class JWTCookieAuthentication(JWTAuthentication):
    """Authenticates a request by the token in the header or in dj-rest-auth's cookie."""

    # Functions of a class of Simple JWT, which call the methods of this one.
    authenticate = _Theirs.authenticate
    enforce_csrf = _Theirs.enforce_csrf
