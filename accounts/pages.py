"""The pages. They contain nothing private; their scripts request that from the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.generic import TemplateView

from token_blacklist.redirects import own_path

from .passwords import password_rules


# Signing in and refreshing by cookie are under Django's CSRF check, which wants its own cookie.
@method_decorator(ensure_csrf_cookie, name="dispatch")
class Page(TemplateView):
    """A page whose script calls the API."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        # Where to go after signing in. `destination()` in site.js applies the same rule.
        wanted = own_path(self.request.GET.get("next"))
        return super().get_context_data(next=wanted, **more)


class PasswordPage(Page):
    """A page to choose a password on, with the rules for passwords."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(password_rules=password_rules(), **more)


class SignupPage(PasswordPage):
    template_name = "accounts/signup.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.ACCOUNTS_ALLOW_SIGNUP:
            return render(request, "accounts/signup_closed.html", status=403)
        return super().dispatch(request, *args, **kwargs)
