"""Staff sign in on django-allauth's pages, and set up their second factor there."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.signals import authenticator_added
from django.contrib import messages
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

RETURN_TO_KEY = "_admin_page"
"""Django session key of the admin page to return to after setting up a second factor."""


class SignInMixin(UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the site's sign-in page, which also asks for the second factor, and back."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the site's password page, which has the same checks for all users."""
        return redirect("account_change_password")


def set_up_second_factor(request: HttpRequest) -> HttpResponseRedirect:
    messages.info(request, _("The admin requires a second factor. Set one up to continue."))
    request.session[RETURN_TO_KEY] = request.get_full_path() if request.method == "GET" else ""
    return redirect("mfa_index")


@receiver(authenticator_added)
def link_back(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Show a link to the admin page that required a second factor."""
    wanted = request.session.pop(RETURN_TO_KEY, None)
    if wanted is not None:
        link = '<a href="{}">{}</a>'
        page = wanted or reverse("admin:index")
        messages.success(request, format_html(link, page, _("Continue to the admin")))
