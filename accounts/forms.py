"""Additions to django-allauth's forms."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class LoginForm(forms.LoginForm):  # type: ignore[misc]  # it has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""  # the page has its own "Forgot your password?" link
        self.fields["remember"].initial = True
        self.fields["remember"].help_text = _("Uncheck it on a device that is not yours.")

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Sign in. Set the expiry first: allauth sets it only after the session row is created."""
        if not self.cleaned_data["remember"]:
            request.session.set_expiry(0)
        response: HttpResponse = super().login(request, redirect_url)
        return response
