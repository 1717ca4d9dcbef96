"""Serializers of the account endpoints."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from token_blacklist.models import OutstandingToken
from token_blacklist.serializers import PasswordField, ShortTextField, TransportField

from .devices import device_name, device_type
from .models import User
from .passwords import check_new_password

MAX_PASSWORD_LENGTH = 1024  # of a new one, so that validating and hashing it is fast


class MeSerializer(serializers.Serializer[User]):
    """The user who is signed in."""

    # Not a ModelSerializer: there, the API schema would make `name` optional in the response,
    # because it may be blank.
    id = serializers.IntegerField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = ShortTextField(
        max_length=User._meta.get_field("name").max_length,
        allow_blank=True,
        help_text="The user's name. May be empty.",
    )
    language = serializers.ChoiceField(
        settings.LANGUAGES,
        allow_blank=True,
        help_text="The language of e-mails. Empty: that of the site.",
    )
    date_joined = serializers.DateTimeField(read_only=True)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Save only the fields in the request.

        Saving all fields could undo a concurrent password change or deactivation.
        """
        for field, value in validated_data.items():
            setattr(instance, field, value)
        instance.save(update_fields=list(validated_data))
        return instance


class ClientSerializer(serializers.Serializer[Any]):
    """The client of a row with `user_agent` and `ip_address`."""

    device = serializers.SerializerMethodField(
        help_text="Browser and system, for example `Chrome on Windows`."
    )
    device_type = serializers.SerializerMethodField(
        help_text="`phone`, `tablet`, `computer`, or `other` for a program or an unknown device."
    )
    ip = serializers.IPAddressField(
        source="ip_address", allow_null=True, help_text="The client address, if it is known."
    )

    def get_device(self, row: Any) -> str:
        return device_name(row.user_agent)

    def get_device_type(self, row: Any) -> str:
        return device_type(row.user_agent)


class SessionSerializer(ClientSerializer, serializers.ModelSerializer[OutstandingToken]):
    """One sign-in on one device."""

    # The view passes the id of the requesting session in the context, as `current`.
    id = serializers.CharField(source="session_id", help_text="For `DELETE /api/sessions/<id>/`.")
    signed_in = serializers.DateTimeField(
        source="created_at", allow_null=True, help_text="When the session began, if it is known."
    )
    last_active = serializers.DateTimeField(
        allow_null=True, help_text="When it signed in or last refreshed, if it is known."
    )
    current = serializers.SerializerMethodField(
        help_text="Whether this is the session that sent the request."
    )

    class Meta:
        model = OutstandingToken
        fields = ("id", "device", "device_type", "ip", "signed_in", "last_active", "current")
        read_only_fields = fields

    def get_current(self, session: OutstandingToken) -> bool:
        return session.session_id == self.context.get("current")


class WhichSessionsSerializer(serializers.Serializer[Any]):
    """The query parameters of `DELETE /api/sessions/`."""

    all = serializers.BooleanField(
        default=False, help_text="`true` revokes the current session as well."
    )


class EndedSessionsSerializer(serializers.Serializer[Any]):
    """How many sessions the request revoked."""

    ended = serializers.IntegerField()


class CurrentPasswordField(PasswordField):
    """The password that the user of the request has now."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        password = super().run_validation(data)
        if not self.context["request"].user.check_password(password):
            raise serializers.ValidationError(_("This is not your current password."))
        return password


class PasswordChangeSerializer(serializers.Serializer[Any]):
    old_password = CurrentPasswordField()
    new_password = PasswordField(max_length=MAX_PASSWORD_LENGTH)
    transport = TransportField(
        required=False,
        write_only=True,
        help_text="Where to put the refresh token: `body` (the default), or `cookie` for an "
        "HttpOnly cookie, which needs a CSRF token.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.context["request"].user
        check_new_password(attrs["new_password"], user, field="new_password")
        return attrs
