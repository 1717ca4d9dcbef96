"""Additional fields of the sign-up form, set as ACCOUNT_SIGNUP_FORM_CLASS."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import User


class NameForm(forms.Form):
    """Adds an optional name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=User._meta.get_field("name").max_length,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Save the name of a new user. Called by allauth."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
