"""The public keys: `path(".well-known/", include("token_blacklist.well_known"))`."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .keys.jwks import public_keys
from .views import JSONView


class JWKSSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.DictField())


class JWKSView(JSONView):
    """Returns the public keys that verify this site's tokens, as a JWK Set (RFC 7517)."""

    operation_id, summary = "jwks", "Get the public keys"
    answers: dict[int, Any] = {200: JWKSSerializer}

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Cached for half the time for which `rotatekeys` announces a key before it signs."""
        return {**super().default_response_headers, "Cache-Control": "public, max-age=300"}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(public_keys())


jwks = JWKSView.as_view()
urlpatterns = [path("jwks.json", jwks, name="jwks")]
