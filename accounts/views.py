"""The account endpoints."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.permissions import IsAuthenticated

from token_blacklist.schema import bad_request, refused

from .models import User
from .serializers import MeSerializer

ME = OpenApiResponse(
    MeSerializer,
    examples=[
        OpenApiExample(
            "The demo user",
            {
                "id": 1,
                "email": "demo@example.com",
                "name": "Demo",
                "date_joined": "2026-01-01T12:00:00Z",
            },
        )
    ],
)


@extend_schema(tags=["account"])
@extend_schema_view(
    get=extend_schema(operation_id="me", responses={200: ME, **refused()}),
    patch=extend_schema(
        operation_id="me_update",
        responses={200: ME, **bad_request({"name": ["This field may not be null."]}), **refused()},
        examples=[OpenApiExample("A new name", {"name": "Ada"}, request_only=True)],
    ),
)
class MeView(RetrieveUpdateAPIView[User]):
    """Who I am. The name can be changed."""

    serializer_class = MeSerializer
    permission_classes = (IsAuthenticated,)
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> Any:
        return self.request.user
