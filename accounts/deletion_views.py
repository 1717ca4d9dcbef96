"""Deleting one's own account: the part of the endpoint `/api/me/`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from token_blacklist.permissions import SignedInWithin

from .deletion import request_deletion
from .serializers import CurrentPasswordField


class DeletionSerializer(serializers.Serializer[Any]):
    """When the account is deleted."""

    delete_at = serializers.DateTimeField(help_text="A sign-in before that keeps the account.")


class PasswordSerializer(serializers.Serializer[Any]):
    password = CurrentPasswordField()


class DeletionMixin(APIView):
    """Adds `DELETE` to the endpoint of the current user."""

    def get_throttles(self) -> list[BaseThrottle]:
        """Count wrong passwords together with those of a password change."""
        if self.request.method == "DELETE":
            self.throttle_scope = "change_password"
        return super().get_throttles()

    @extend_schema(
        operation_id="me_delete",
        summary="Delete the account",
        responses={200: DeletionSerializer},
    )
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revokes every session and deletes the account, immediately or after some days.

        Send `{"password": …}`; within ten minutes of the sign-in, it is not needed. The user gets
        an e-mail. A sign-in before `delete_at` keeps the account. 403 for the only superuser.
        """
        if request.data:
            checked = PasswordSerializer(data=request.data, context={"request": request})
            checked.is_valid(raise_exception=True)
        else:
            SignedInWithin(minutes=10).has_permission(request, self)
        me: Any = request.user
        return Response(DeletionSerializer({"delete_at": request_deletion(me)}).data)

    delete.error_codes = {  # type: ignore[attr-defined]
        400: ("parse_error",),
        401: SignedInWithin.error_codes[401],
        403: ("cross_site", "permission_denied"),
        413: ("payload_too_large",),
        415: ("unsupported_media_type",),
        429: ("throttled",),
    }
