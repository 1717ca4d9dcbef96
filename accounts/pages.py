"""The project's own pages: home and account."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.generic import TemplateView

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
