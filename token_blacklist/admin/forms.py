"""The form that selects sessions to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from ..models import OutstandingToken, OutstandingTokenQuerySet

MOST = 10_000  # sessions that one request ends, so that it is answered within seconds


class KeysField(forms.CharField):
    """Primary keys with commas between them."""

    widget = forms.HiddenInput

    def __init__(self, model: Callable[[], type[Model]]) -> None:
        super().__init__(required=False)
        self.model = model  # a function, because the user model is not known at import

    def clean(self, value: Any) -> list[Any]:
        key = self.model()._meta.pk
        parts = super().clean(value).split(",")[:MOST]
        return [key.clean(part, None) for part in parts if part]


def datetime_field(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        help_text=lazy(timezone.get_current_timezone_name, str)(),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class EndSessionsForm(forms.Form):
    """Selects the live sessions that meet all given conditions."""

    most = MOST
    sessions = KeysField(lambda: OutstandingToken)
    users = KeysField(get_user_model)
    ip_address = forms.GenericIPAddressField(label=_("From this IP address"), required=False)
    since = datetime_field(_("Signed in from"))
    until = datetime_field(_("Signed in until"))
    note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_("Why these sessions end. Shown in the blacklist."),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)  # the page to go back to

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.given:
            raise ValidationError(_("Enter an IP address, or when the sessions began."))
        if data.get("since") and data.get("until") and data["until"] < data["since"]:
            self.add_error("until", _("The end is before the start."))
        return data

    @property
    def given(self) -> set[str]:
        """The names of the conditions that were filled in."""
        filled = {name for name, value in self.cleaned_data.items() if value}
        return filled - {"note", "next"}

    @property
    def names_sessions(self) -> bool:
        """Whether this selects certain sessions, or those of certain users."""
        return bool(self.given & {"sessions", "users"})

    def found(self) -> OutstandingTokenQuerySet:
        """Return the newest of them: `most`, and one more to know whether there are more."""
        data = self.cleaned_data
        conditions = {
            "pk__in": data["sessions"],
            "user__in": data["users"],
            "ip_address": data["ip_address"],
            "created_at__gte": data["since"],
            "created_at__lte": data["until"],
        }
        given = {name: value for name, value in conditions.items() if value}
        order = "-created_at" if data["since"] or data["until"] else "-pk"  # as there are indexes
        return OutstandingToken.objects.live().filter(**given).order_by(order)[: self.most + 1]
