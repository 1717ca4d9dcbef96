"""The project's own pages: home, account, and the download and the deletion of an account."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView
from rest_framework.exceptions import PermissionDenied

from .data_views import as_file
from .deletion import deletion_delay, request_deletion
from .verified import is_verified


# A refresh with the cookie passes Django's CSRF check, which needs the CSRF cookie.
@method_decorator(ensure_csrf_cookie, name="dispatch")
class Page(TemplateView):
    """A page whose scripts call the API."""


class AccountPage(LoginRequiredMixin, Page):
    """The account page: sign-in methods with their state, name and sessions."""

    template_name = "accounts/account.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        user: Any = self.request.user
        by_type: dict[str, list[Authenticator]] = {kind: [] for kind in Authenticator.Type.values}
        for factor in Authenticator.objects.filter(user=user):
            by_type[factor.type].append(factor)
        codes = by_type[Authenticator.Type.RECOVERY_CODES]
        connected = SocialAccount.objects.filter(user=user).count()
        return super().get_context_data(
            is_verified=is_verified(user),
            has_app=bool(by_type[Authenticator.Type.TOTP]),
            keys=len(by_type[Authenticator.Type.WEBAUTHN]),
            has_codes=bool(codes),
            codes_left=sum(len(each.wrap().get_unused_codes()) for each in codes),
            connected=connected,
            may_connect=connected or get_adapter().list_providers(self.request),
            **more,
        )


@never_cache
@require_safe
@login_required
def download_page(request: HttpRequest) -> JsonResponse:
    """Return the same file to a page, which has a Django session and no access token."""
    return as_file(request.user)


@method_decorator(reauthentication_required, name="dispatch")
class DeletionPage(LoginRequiredMixin, TemplateView):
    """Asks whether to delete the account, and does it."""

    template_name = "accounts/delete.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(
            days=settings.ACCOUNT_DELETION_DAYS,
            delete_at=timezone.now() + deletion_delay(),
            **more,
        )

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            at = request_deletion(request.user)
        except PermissionDenied as error:
            context = self.get_context_data(error=error.detail)
            return self.render_to_response(context, status=error.status_code)
        logout(request)
        if settings.ACCOUNT_DELETION_DAYS:
            day = date_format(timezone.localtime(at), "DATE_FORMAT")
            text = _("You are signed out. Your account will be deleted on %(day)s.") % {"day": day}
        else:
            text = _("Your account was deleted.")
        messages.success(request, text)
        return HttpResponseRedirect(reverse("home"))
