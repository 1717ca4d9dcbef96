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
from .devices import device_name, device_type
from .models import Activity


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    """A sign-in, or the end of a session."""

    kind = serializers.ChoiceField(
        choices=Activity.Kind.values,
        help_text="`sign_in`, or why a session ended: `sign_out`, `reuse` (a used token was sent "
        "again), `password` (it was changed), `support`, `reported` (by the owner) or `ended`.",
    )
    device = serializers.SerializerMethodField(
        help_text="Browser and system, for example `Chrome on Windows`."
    )
    device_type = serializers.SerializerMethodField(
        help_text="`phone`, `tablet`, `computer`, or `other` for a program or an unknown device."
    )
    ip = serializers.IPAddressField(
        source="ip_address", allow_null=True, help_text="The client address, if it is known."
    )
    session = serializers.CharField(source="session_id", help_text="The id of the session.")
    note = serializers.CharField(help_text="Why support ended the session. May be empty.")

    class Meta:
        model = Activity
        fields = ("kind", "at", "device", "device_type", "ip", "session", "note")
        read_only_fields = fields

    def get_device(self, happened: Activity) -> str:
        return device_name(happened.user_agent)

    def get_device_type(self, happened: Activity) -> str:
        return device_type(happened.user_agent)


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
