"""The pages. They hold nothing private: what is, their scripts ask the API for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.generic import TemplateView

from .passwords import password_rules


def next_path(request: HttpRequest) -> str:
    """Return where to go after signing in: the query's `next` if it is a path of this site.

    `destination()` in site.js applies the same rule to the same parameter.
    """
    wanted = request.GET.get("next", "")
    is_own = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_own else ""


# Signing in and refreshing by cookie are under Django's CSRF check, which wants its own cookie.
@method_decorator(ensure_csrf_cookie, name="dispatch")
class Page(TemplateView):
    """A page whose script speaks to the API."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(next=next_path(self.request), **more)


class PasswordPage(Page):
    """A page on which a password is chosen: it says what the site asks of one."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(password_rules=password_rules(), **more)


class SignupPage(PasswordPage):
    template_name = "accounts/signup.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.ACCOUNTS_ALLOW_SIGNUP:
            return render(request, "accounts/signup_closed.html", status=403)
        return super().dispatch(request, *args, **kwargs)
