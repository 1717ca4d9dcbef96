"""The admin site: signing in, its menu and its dashboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from accounts.device_cookie import remember
from accounts.throttling import seconds_to_wait
from token_blacklist.exceptions import too_many
from token_blacklist.models import BlacklistedToken
from token_blacklist.statistics import Figure, Overview, overview


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # it has no types
    """Django's form, under the same rate limits as the API's sign-in."""

    def clean(self) -> Any:
        email = self.cleaned_data.get("username", "")
        seconds = seconds_to_wait(self.request, "login", email=email)
        if seconds is not None:
            self.request.seconds_to_wait = seconds
            raise ValidationError(too_many(seconds))
        return super().clean()


class Console(UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    login_form = LoginForm

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == 302:  # signed in
            remember(request.user, request)
        if seconds := getattr(request, "seconds_to_wait", None):
            response.status_code = 429
            response["Retry-After"] = str(seconds)
        return response

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


def icon(request: HttpRequest) -> str:
    return static("icon.svg")


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
                item(_("Outstanding tokens"), "devices", "token_blacklist.outstandingtoken"),
                item(_("Blacklisted tokens"), "block", "token_blacklist.blacklistedtoken"),
            ],
        ),
        (_("Maintenance"), [item(_("Flush runs"), "mop", "token_blacklist.flushrun")]),
    ]
    return [
        {"title": title, "separator": True, "items": items}
        for title, items in groups
        if any(entry["permission"](request) for entry in items)
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures for users who may view sessions."""
    if request.user.has_perm("token_blacklist.view_outstandingtoken"):
        figures = overview()
        sees_blacklist = request.user.has_perm("token_blacklist.view_blacklistedtoken")
        context |= {
            "overview": figures,
            "chart": chart(figures),
            "tiles": tiles(figures, sees_blacklist=sees_blacklist),
        }
    return context


@dataclass(frozen=True)
class Tile:
    """A figure of the dashboard, and the URL of its list; "" for users who may not view it."""

    id: str
    name: Any
    figure: Figure
    changelist: str
    query: dict[str, str]
    is_alarming: bool = False

    @property
    def url(self) -> str:
        return f"{self.changelist}?{urlencode(self.query)}" if self.changelist else ""


def tiles(figures: Overview, *, sees_blacklist: bool) -> list[Tile]:
    outstanding = reverse("admin:token_blacklist_outstandingtoken_changelist")
    blacklisted = reverse("admin:token_blacklist_blacklistedtoken_changelist")
    blacklisted = blacklisted if sees_blacklist else ""
    since = (timezone.now() - timedelta(days=1)).isoformat(" ", "seconds")
    ended = {"blacklisted_at__gte": since}
    reused = {"reason__exact": str(BlacklistedToken.Reason.REUSE), **ended}
    signed_out, reuses = (
        Figure(count, is_bounded=False) for count in (figures.signed_out, figures.reused)
    )
    return [
        Tile("live", _("Live sessions"), figures.live, outstanding, {"state": "live"}),
        Tile(
            "signed-in",
            _("Sign-ins in 24 hours"),
            figures.signed_in,
            outstanding,
            {"created_at__gte": since},
        ),
        Tile("signed-out", _("Sessions ended in 24 hours"), signed_out, blacklisted, ended),
        Tile(
            "reused",
            _("Reused tokens in 24 hours"),
            reuses,
            blacklisted,
            reused,
            is_alarming=reuses.count > 0,
        ),
    ]


HEIGHT, STEP, WIDTH = 120, 40, 28  # of the chart, in its own units


def chart(figures: Overview) -> dict[str, Any]:
    """Return the bars of the ended sessions, one stack a day, as an SVG takes them."""
    highest = max((sum(by_reason.values()) for _day, by_reason in figures.days), default=0) or 1
    bars, rows = [], []
    for number, (day, by_reason) in enumerate(figures.days):
        top = float(HEIGHT)
        for reason in BlacklistedToken.Reason:
            if count := by_reason.get(reason, 0):
                height = count / highest * HEIGHT
                top -= height
                place = {"x": number * STEP, "y": round(top, 1), "height": round(height, 1)}
                bars.append(place | {"reason": reason, "count": count, "day": day})
        rows.append((day, number * STEP + WIDTH / 2, sum(by_reason.values())))
    seen = {bar["reason"] for bar in bars}
    return {
        "bars": bars,
        "days": rows,
        "width": len(figures.days) * STEP,
        "legend": [reason for reason in BlacklistedToken.Reason if reason in seen],
    }
