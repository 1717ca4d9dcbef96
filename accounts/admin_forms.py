"""Forms of the user admin: Django's, with the theme's widgets."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from token_blacklist.models import BlacklistedToken
from token_blacklist.sessions.end import revoke_user

from .models import User
from .passwords import validators_with_text


class PasswordFormMixin:
    """Lists the password rules that have a text, and saves only the password.

    Hashing takes time. Saving the whole user would undo a change of permissions made meanwhile.
    """

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = password_validators_help_text_html(validators_with_text())
        self.fields["password1"].help_text = rules

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)  # type: ignore[misc]  # the form's
        if commit:
            with transaction.atomic():
                user.save(update_fields=["password"])
                if not user.has_usable_password():  # Django calls no hook
                    revoke_user(user, reason=BlacklistedToken.Reason.PASSWORD)
        return user


class UserForm(UserChangeForm):  # type: ignore[misc]  # it has no types
    class Meta(UserChangeForm.Meta):  # type: ignore[misc]  # as above
        # The theme shows switches, not checkboxes.
        help_texts = {"is_active": _("Turn this off instead of deleting the account.")}


class PasswordForm(PasswordFormMixin, AdminPasswordChangeForm):  # type: ignore[misc]  # as above
    """Sets another user's password, or disables it."""


class NewUserForm(PasswordFormMixin, UserCreationForm):  # type: ignore[misc]  # as above
    save = UserCreationForm.save
