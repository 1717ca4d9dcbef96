"""The admin site: signing in, under the rate limits of the API, and who has access."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from accounts.admin_forms import OwnPasswordForm
from accounts.device_cookie import remember
from accounts.throttling import seconds_to_wait
from token_blacklist.exceptions import too_many


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # it has no types
    """Django's form, under the same rate limits as the API's sign-in."""

    def clean(self) -> Any:
        email = self.cleaned_data.get("username", "")
        seconds = seconds_to_wait(self.request, "login", email=email)
        if seconds is not None:
            self.request.seconds_to_wait = seconds
            raise ValidationError(too_many(seconds))
        return super().clean()


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    login_form = LoginForm

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        has_signed_in = request.method == "POST" and response.status_code == 302
        # A user whose password was changed at the same time is anonymous by now.
        if has_signed_in and request.user.is_authenticated:
            remember(request.user, request)
        if seconds := getattr(request, "seconds_to_wait", None):
            response.status_code = 429
            response["Retry-After"] = str(seconds)
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show Django's page with a form that writes the password alone."""
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return view(request)  # type: ignore[return-value]  # TemplateResponse or a redirect

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow staff, send anonymous users to the sign-in page, and answer others with 403."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def only_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_leaving = request.path == reverse("admin:logout")
            if request.user.is_authenticated and not (is_leaving or self.has_permission(request)):
                raise PermissionDenied
            return inner(request, *args, **kwargs)

        return only_staff
