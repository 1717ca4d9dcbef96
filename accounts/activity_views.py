"""The endpoint of what happened to the account lately."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import activity
from .models import Activity
from .serializers import ClientSerializer


class ActivitySerializer(ClientSerializer, serializers.ModelSerializer[Activity]):
    """A sign-in, or the end of a session."""

    kind = serializers.ChoiceField(
        choices=Activity.Kind.values,
        help_text="`sign_in`, or why a session ended: `sign_out`, `reuse` (a used token was sent "
        "again), `password` (it was changed), `support`, `reported` (by the owner) or `ended`.",
    )
    session = serializers.CharField(source="session_id", help_text="The id of the session.")
    note = serializers.CharField(help_text="Why support ended the session. May be empty.")

    class Meta:
        model = Activity
        fields = ("kind", "at", "device", "device_type", "ip", "session", "note")
        read_only_fields = fields


class ActivityView(APIView):
    """What happened to the account lately."""

    tags = ("account",)
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="me_activity",
        summary="List what happened lately",
        responses=ActivitySerializer(many=True),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Lists the sign-ins and the ends of sessions of the last 30 days, newest first.

        At most 100. What has just happened appears within seconds.
        """
        me: Any = request.user
        return Response(ActivitySerializer(activity.recent(me), many=True).data)
