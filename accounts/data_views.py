"""The download of a user's data: an endpoint of the API."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from token_blacklist.views import NoStoreMixin

from .data import data_of

FILE_NAME = "account.json"


class DataView(NoStoreMixin, APIView):
    """The data of the user."""

    tags = ("account",)
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="me_download",
        summary="Download the user's data",
        responses={200: dict},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Returns everything that is stored about the user, as a file.

        Profile, addresses, sessions, activity, connected accounts and second factors, without
        secrets.
        """
        return as_file(request.user)


def as_file(user: Any) -> JsonResponse:
    """Return the data of the user as a file to save."""
    response = JsonResponse(data_of(user), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
