"""Icon, colors and sidebar of the admin. UNFOLD in the settings refers to them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def icon(request: HttpRequest) -> str:
    return _colored("icon")


def zone_script(request: HttpRequest) -> str:
    return static("js/admin.js")


def theme(request: HttpRequest) -> str:
    return _colored("theme")


def app_style(request: HttpRequest) -> str:
    return static("token_blacklist/admin.css")


def style(request: HttpRequest) -> str:
    return static("css/admin.css")


def _colored(name: str) -> str:
    return f"{reverse(name)}?{settings.ACCENT_COLOR.removeprefix('#')}"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar, each with the lists that the user may view."""

    def item(title: Any, symbol: str, model: str) -> dict[str, Any]:
        app, name = model.split(".")
        return {
            "title": title,
            "icon": symbol,
            "link": reverse(f"admin:{app}_{name}_changelist"),
            "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
        }

    groups = [
        (
            _("Users"),
            [
                item(_("Users"), "group", "accounts.user"),
                item(_("Groups"), "shield", "auth.group"),
            ],
        ),
        (
            _("Sessions"),
            [
                item(_("Sessions"), "devices", "token_blacklist.outstandingtoken"),
                item(_("Ended sessions"), "block", "token_blacklist.blacklistedtoken"),
            ],
        ),
        (
            _("Maintenance"),
            [
                item(_("E-mails"), "mail", "post_office.email"),
                item(_("Flush runs"), "mop", "token_blacklist.flushrun"),
            ],
        ),
    ]
    return [
        {"title": title, "separator": True, "items": items}
        for title, items in groups
        if any(entry["permission"](request) for entry in items)
    ]
