"""Sign-in methods on the admin's user page, and removing a second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.sites import AdminSite
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from token_blacklist.admin.base import admin_url

from .models import User
from .report import end_links

FACTOR_NAMES = {
    Authenticator.Type.TOTP: _("Authenticator app"),
    Authenticator.Type.WEBAUTHN: _("Passkey"),
    Authenticator.Type.RECOVERY_CODES: _("Recovery codes"),
}

NONE = _("none")


def addresses(user: User) -> str:
    """Return the user's e-mail addresses as HTML, each with whether it is verified."""
    known = dict(EmailAddress.objects.filter(user=user).values_list("email", "verified"))
    known = {user.email: False} | known
    states = ((email, _("verified") if known[email] else _("not verified")) for email in known)
    return _list(format_html("{}: {}", *each) for each in states)


def second_factor(user: User) -> str:
    """Return the user's second factors as HTML, each with its date. No secret is shown."""
    return _list(factors_of(user), none=pgettext_lazy("second factor", "none"))


def factors_of(user: User) -> list[str]:
    found = Authenticator.objects.filter(user=user).order_by("created_at")
    return [
        _("%(name)s, since %(date)s") % {"name": _name(each), "date": _day(each.created_at)}
        for each in found
    ]


def connected_accounts(user: User) -> str:
    """Return the social accounts that sign the user in, as HTML."""
    found = SocialAccount.objects.filter(user=user).order_by("date_joined")
    rows = ((each.provider.title(), each.uid, _day(each.date_joined)) for each in found)
    return _list(format_html("{} {}, {}", *row) for row in rows)


def remove_second_factor(request: HttpRequest, user: User) -> bool:
    """Remove the user's second factors and recovery codes, and notify the user by e-mail.

    Return whether there were any.
    """
    with transaction.atomic():
        found = list(Authenticator.objects.select_for_update().filter(user=user))
        Authenticator.objects.filter(pk__in=[each.pk for each in found]).delete()
    for each in found:
        authenticator_removed.send(Authenticator, request=request, user=user, authenticator=each)
    if found:
        get_adapter().send_mail("account/email/second_factor_removed", user.email, {"owner": user})
    return bool(found)


def forget_addresses(user: User) -> None:
    """Make the user's current address the only one, unverified. For changes by staff.

    If the row of the previous address remained, its mailbox could still reset the password. A link
    that was mailed to it could bring it back.
    """
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
        end_links(user)


def remove_button(site: AdminSite, user: User) -> str:
    """Return the link to the confirmation page for removing the second factor, as HTML."""
    url = admin_url(site, "accounts_user_remove_second_factor", user.pk)
    text = _("Remove the second factor")
    return format_html('<p class="tb-apart"><a class="tb-button" href="{}">{}</a></p>', url, text)


def _name(authenticator: Authenticator) -> str:
    name = str(FACTOR_NAMES.get(authenticator.type, authenticator.type))
    if authenticator.type != Authenticator.Type.WEBAUTHN:
        return name
    return f"{name} “{authenticator.data.get('name', '')}”"


def _day(moment: Any) -> str:
    return localize(timezone.localtime(moment).date())


def _list(rows: Any, *, none: Any = NONE) -> str:
    shown = format_html_join("", "<li>{}</li>", ((row,) for row in rows))
    return format_html('<ul class="tb-plain">{}</ul>', shown) if shown else str(none)
