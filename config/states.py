"""The page /states/, in DEBUG only: each component of the pages in each of its states."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class Fields(forms.Form):
    """One field of each kind."""

    text = forms.CharField(label="Text", help_text="A help text.")
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput,
        help_text=password_validators_help_text_html(),
    )
    disabled = forms.CharField(label="Disabled", disabled=True, initial="cannot be changed")
    choice = forms.BooleanField(label="Choice", help_text="A help text.")


class WithErrors(Fields):
    """The same fields, each with errors."""

    def clean(self) -> dict[str, Any]:
        for name in self.fields:
            self.add_error(name, ["What is wrong.", "What else is wrong."])
        raise forms.ValidationError(["What is wrong with the whole form."])


def states(request: HttpRequest) -> HttpResponse:
    """Return the page."""
    forms_shown = [Fields(prefix="empty"), WithErrors({"wrong-text": "text"}, prefix="wrong")]
    devices = [
        ("computer", "Firefox on Linux", "203.0.113.7"),
        ("phone", "Acme Portal on iOS", "2001:db8:85a3::8a2e:370:7334"),
        ("tablet", "Safari on iOS", "198.51.100.23"),
        ("other", "A program with a name of sixty letters, the longest that is", "203.0.113.8"),
    ]
    kinds = ["primary", "outline", "danger", "danger,outline"]
    context = {"forms": forms_shown, "devices": devices, "kinds": kinds}
    return render(request, "states.html", context)
