"""Resetting a password by e-mail: Django's views with three additions.

The API has both steps too, with the same forms and links: `views.py`.

Using the link revokes every session of the user, requests are throttled, and an
address without an account gets an e-mail too, so that neither the response nor its time reveals
whether there is an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.edit import FormMixin
from rest_framework.exceptions import APIException

from token_blacklist.exceptions import too_many

from .mail import write_to
from .models import User, normalize_email
from .passwords import password_rules, reset_password
from .throttling import seconds_to_wait


def link_lifetime() -> str:
    """Return how long a link works, in words and in the reader's language: "1 hour"."""
    now = timezone.now()
    return timesince(now - timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT), now)


def may_reset(user: User) -> bool:
    """Return whether this user gets a link."""
    return user.is_active and user.has_usable_password()


class ResetForm(PasswordResetForm):
    is_sent = False  # whether the link of the last save was sent to an account

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        return normalize_email(self.cleaned_data["email"])

    def get_users(self, email: str) -> Iterator[User]:
        """Return the account with exactly this address, which the rate limit counted by.

        Django compares without case, which finds some accounts by several forms of the address.
        """
        return filter(may_reset, User.objects.filter(email=email))

    def save(self, **options: Any) -> None:  # type: ignore[override]  # only the view calls it
        super().save(**options)
        email = self.cleaned_data["email"]
        if not any(self.get_users(email)):
            site = options["request"].build_absolute_uri("/")
            write_to(email, _("Your new password"), "unknown_address", site)

    def send_mail(  # noqa: PLR0917  # Django's signature
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        site = f"{context['protocol']}://{context['domain']}/"
        path = reverse(
            "password_reset_confirm", kwargs={"uidb64": context["uid"], "token": context["token"]}
        )
        link = site.removesuffix("/") + path
        lifetime = link_lifetime()
        subject = _("Your new password")
        self.is_sent = write_to(
            to_email, subject, "password_reset", site, link=link, lifetime=lifetime
        )


class ChooseForm(SetPasswordForm):  # type: ignore[type-arg]  # it takes none at run time
    """Django's form with one field: as on the other pages, a button shows the password."""

    new_password2 = None  # type: ignore[assignment]  # so Django takes the field away

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["new_password1"]
        field.help_text = ""  # the template lists the rules
        field.widget.attrs["aria-describedby"] = "password-rules"

    def clean(self) -> dict[str, Any]:
        self.validate_password_for_user(self.user, "new_password1")
        return self.cleaned_data

    def save(self, commit: bool = True) -> User:
        """Set the password. Raises LinkNotValid if the link was used up since it was opened."""
        user: User = self.user
        use_link(user, self.cleaned_data["new_password1"])
        return user


class PlainLabels(FormMixin):  # type: ignore[type-arg]  # it takes none at run time
    """The forms as on the other pages, without Django's colons."""

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}


class ResetView(PlainLabels, views.PasswordResetView):
    """Sends the link to an address."""

    form_class = ResetForm
    template_name = "accounts/password_reset.html"
    success_url = reverse_lazy("password_reset_sent")
    throttle_scope = "reset"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        form.is_valid()
        email = form.cleaned_data.get("email", "")
        seconds = seconds_to_wait(request, self.throttle_scope, email=email)
        if seconds is None:
            return self.form_valid(form) if form.is_valid() else self.form_invalid(form)
        form.add_error(None, too_many(seconds))
        context = self.get_context_data(form=form)
        headers = {"Retry-After": str(seconds)}
        return self.render_to_response(context, status=429, headers=headers)


class ResetSentView(views.PasswordResetDoneView):
    template_name = "accounts/password_reset_sent.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(lifetime=link_lifetime(), **more)


class ChooseView(PlainLabels, views.PasswordResetConfirmView):
    """Sets the new password of the link's user."""

    form_class = ChooseForm
    template_name = "accounts/password_reset_choose.html"
    success_url = reverse_lazy("password_reset_done")

    def get_user(self, uidb64: str) -> User | None:
        """Return the link's user, or None if they have been deactivated since."""
        user: User | None = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rules = password_rules()
        return super().get_context_data(password_rules=rules, lifetime=link_lifetime(), **more)

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        try:
            return super().form_valid(form)
        except LinkNotValid:
            self.validlink = False
            return self.render_to_response(self.get_context_data())


class LinkNotValid(APIException):
    """400: the link was used or has expired, or its user may not sign in."""

    status_code = 400
    default_detail = gettext_lazy("This link was already used or has expired. Ask for a new one.")
    default_code = "link_not_valid"


def user_of_link(uid: str, token: str) -> User:
    """Return the user to whom the link with these parts was sent.

    Raises:
        LinkNotValid: for a link that ChooseView does not accept either.
    """
    user = ChooseView().get_user(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise LinkNotValid
    return user


def use_link(user: User, password: str) -> None:
    """Set the new password of a link's user.

    Raises:
        LinkNotValid: the link was used, or the user deactivated, since the user was loaded.
    """
    if not reset_password(user, password):
        raise LinkNotValid


class ResetDoneView(views.PasswordResetCompleteView):
    template_name = "accounts/password_reset_done.html"
