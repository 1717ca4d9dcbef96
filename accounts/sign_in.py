"""Sign-in at /api/token/ with a password and, for users with a second factor, a code.

django-allauth checks the password under its rate limits. Sign-ins with several steps, such as a
code from an e-mail or a passkey, use allauth's headless API below /_allauth/.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from token_blacklist.exceptions import AuthenticationFailed, ErrorCodes
from token_blacklist.serializers import (
    ShortTextField,
    TokenObtainPairSerializer,
    TokenObtainSerializer,
)

from .models import User
from .rate_limits import longest_wait
from .second_factor import has_second_factor
from .sign_in_methods import PASSWORD, record, second_factor_record
from .verified import is_verified

CODE_HELP = (
    "The code of the authenticator app, or a recovery code, if the user has a second factor."
)
REFUSALS = {
    "email_not_verified": _(
        "Verify your e-mail address first. Sign in on the website for a new code."
    ),
    "mfa_required": _("Enter the code from your authenticator app, or a recovery code."),
    "incorrect_code": _("This code is wrong or was already used. Wait for the next one."),
}


class SecondFactorMixin(TokenObtainSerializer):
    """Requires a verified address, if the settings do, and the user's second factor, if any."""

    error_codes: ErrorCodes = {401: tuple(REFUSALS)}

    code = ShortTextField(
        max_length=32, required=False, allow_blank=True, write_only=True, help_text=CODE_HELP
    )

    def authenticate(self, credentials: dict[str, Any], password: str) -> Any:
        """Return the user with these credentials, or None.

        Raises:
            Throttled: too many wrong passwords or codes for the account or from the client address.
            AuthenticationFailed: `email_not_verified`, `mfa_required` or `incorrect_code`.
        """
        request: Request = self.context["request"]
        try:
            user = get_adapter().authenticate(request._request, **credentials, password=password)
        except ValidationError as error:
            raise Throttled(longest_wait("login_failed")) from error
        if user is not None:
            self._require_verified(user)
            record(request, PASSWORD, *self._require_second_factor(user))
        return user

    def _require_verified(self, user: User) -> None:
        if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and not is_verified(user):
            raise _refusal("email_not_verified")

    def _require_second_factor(self, user: User) -> list[dict[str, Any]]:
        """Return the record of the second factor, in a list that is empty if there is none."""
        if not has_second_factor(user):
            return []
        code = str(self.initial_data.get("code", "")).strip()
        if not code:
            raise _refusal("mfa_required")
        form = AuthenticateForm({"code": code}, user=user)
        if form.is_valid():
            form.authenticator.record_usage()
            return [second_factor_record(form.authenticator)]
        if form.has_error("code", "too_many_login_attempts"):
            raise Throttled(longest_wait("login_failed"))
        raise _refusal("incorrect_code")


def _refusal(code: str) -> AuthenticationFailed:
    return AuthenticationFailed(REFUSALS[code], code=code)


DEMO = OpenApiExample(
    "the demo user",
    {"email": "demo@example.com", "password": "demo-password"},
    request_only=True,
)


# The component names are those in existing generated clients.
@extend_schema_serializer(component_name="TokenObtainPair", examples=[DEMO])
class PairSerializer(SecondFactorMixin, TokenObtainPairSerializer):
    """Signs a user in; returns the tokens of the new session."""
