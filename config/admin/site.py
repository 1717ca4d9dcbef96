"""The admin site: access for staff, who sign in on django-allauth's pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from accounts.second_factor import has_second_factor

RETURN_TO_KEY = "_admin_page"
"""Django session key of the admin page to return to after setting up a second factor."""


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the site's sign-in page, which also asks for the second factor, and back."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the site's password page, which has the same checks for all users."""
        return redirect("account_change_password")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow staff, send anonymous users to the sign-in page, and answer others with 403."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def only_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_leaving = request.path == reverse("admin:logout")
            if request.user.is_authenticated and not is_leaving:
                if not self.has_permission(request):
                    raise PermissionDenied
                if settings.ADMIN_REQUIRES_SECOND_FACTOR and not has_second_factor(request.user):
                    return _to_the_second_factor(request)
            return inner(request, *args, **kwargs)

        return only_staff


def _to_the_second_factor(request: HttpRequest) -> HttpResponseRedirect:
    messages.info(request, _("The admin requires a second factor. Set one up to continue."))
    request.session[RETURN_TO_KEY] = request.get_full_path() if request.method == "GET" else ""
    return redirect("mfa_index")


def link_back(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Show a link to the admin page that required a second factor.

    Receiver of allauth's `authenticator_added`.
    """
    wanted = request.session.pop(RETURN_TO_KEY, None)
    if wanted is not None:
        link = '<a href="{}">{}</a>'
        page = wanted or reverse("admin:index")
        messages.success(request, format_html(link, page, _("Continue to the admin")))
