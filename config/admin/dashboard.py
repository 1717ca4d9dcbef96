"""The dashboard on the admin's start page. UNFOLD in the settings refers to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from token_blacklist.models import BlacklistedToken

from .site import administrators
from .statistics import Figure, Overview, overview


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures for users who may view sessions, or whom to ask for permissions."""
    if not context["app_list"]:
        context["administrators"] = administrators()
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
    """A figure of the dashboard. Its URL leads to the list; "" for users who may not view it."""

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
            _("Sign-ins (24 h)"),
            figures.signed_in,
            outstanding,
            {"created_at__gte": since},
        ),
        Tile("signed-out", _("Ended sessions (24 h)"), signed_out, blacklisted, ended),
        Tile(
            "reused",
            _("Reused tokens (24 h)"),
            reuses,
            blacklisted,
            reused,
            is_alarming=reuses.count > 0,
        ),
    ]


HEIGHT, STEP, WIDTH = 120, 40, 28  # of the chart, in its own units
MARGIN = 8  # on both sides, for the labels of the first and the last day


def chart(figures: Overview) -> dict[str, Any]:
    """Return an SVG chart's bars: ended sessions by day, stacked by reason."""
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
        "left": -MARGIN,
        "width": len(figures.days) * STEP + 2 * MARGIN,
        "legend": [reason for reason in BlacklistedToken.Reason if reason in seen],
    }
