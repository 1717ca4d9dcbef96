"""The admin of the sessions: state, history, and buttons to end them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..conf import conf
from ..models import BlacklistedToken, OutstandingToken
from ..utils import aware, aware_now
from .base import NONE, ReadOnlyAdmin, badge, cell, full_time, in_zone, time_cell, where_cell
from .ending import EndingMixin, end_all_url, end_button, note_field
from .export import SESSION_COLUMNS, ExportMixin, session_columns
from .search import SearchMixin
from .staff import may_end_sessions_of

HANDHELD = "Mobi"  # in the user agent of phones and tablets
REASON = "blacklistedtoken__reason"


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("live", _("live")),
            ("blacklisted", _("ended")),
            ("expired", _("expired")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in {"live", "expired"} and f"{REASON}__exact" in request.GET:
            return queryset.none()  # only blacklisted sessions have a reason
        match self.value():
            case "live":
                return queryset.live()
            case "blacklisted":
                return queryset.filter(blacklistedtoken__isnull=False)
            case "expired":
                return queryset.expired(aware_now()).not_blacklisted()
        return queryset


class DeviceFilter(admin.SimpleListFilter):
    title = _("device")
    parameter_name = "device"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("handheld", _("phone or tablet")), ("other", _("other"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        handheld = Q(user_agent__contains=HANDHELD)
        chosen = {"handheld": handheld, "other": ~handheld}.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


@admin.register(OutstandingToken)
class OutstandingTokenAdmin(SearchMixin, EndingMixin, ExportMixin, ReadOnlyAdmin):
    list_display = (
        "username",
        "state",
        "where",
        "signed_in",
        "refreshed",
        "expires",
    )
    list_filter = (StateFilter, REASON, "created_at", DeviceFilter)
    list_select_related = ("user", "blacklistedtoken__blacklisted_by")
    sortable_by = ("signed_in", "expires")
    fieldsets = (
        (None, {"fields": ("username", "state", "story")}),
        (
            _("Device"),
            {"fields": ("device", "ip_address", "user_agent")},
        ),
        (_("Record"), {"fields": ("identifier", "jti", "generation", "expires")}),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the index that the filters use, so that PostgreSQL need not sort.

        A date range comes first, because it limits the rows that are read even if none has expired.
        """
        if any(name.startswith("created_at__") for name in request.GET):
            return ("-created_at",)
        if request.GET.get(StateFilter.parameter_name) == "expired":
            return ("-expires_at",)
        return ("-id",)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Put the button before the other columns, so that a narrow screen shows it."""
        username, state, *others = self.list_display
        return (username, state, *self._buttons(request), *others)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        (name, first), *others = self.fieldsets
        if buttons := self._buttons(request, has_note=True):
            first = {"fields": (*first["fields"], *buttons, self._links(request))}
        return ((name, first), *others)

    def _buttons(self, request: HttpRequest, *, has_note: bool = False) -> tuple[Any, ...]:
        """Return the field with the button that ends a session and returns to this page.

        `has_note` adds a field for the note. It is empty for sessions that have ended or that this
        user may not end.
        """
        if not self.has_end_permission(request):
            return ()

        @admin.display(description=_("end"))
        def end(record: OutstandingToken) -> str:
            if record.is_blacklisted or record.is_expired():
                return NONE
            if not may_end_sessions_of(record.user, request.user):
                return NONE
            back = request.get_full_path()
            button = end_button(record, back, site=self.admin_site, text=_("End"))
            if not has_note:
                return button
            return format_html('<div class="tb-beside">{}{}</div>', note_field(), button)

        return (end,)

    def _links(self, request: HttpRequest) -> Any:
        """Return the field with links to end the user's or the address's other sessions.

        Each leads to a confirmation page.
        """

        @admin.display(description=_("end others"))
        def end_more(record: OutstandingToken) -> str:
            links: list[tuple[str, Any]] = []
            url_of = partial(end_all_url, request.get_full_path(), site=self.admin_site)
            if record.user_id and may_end_sessions_of(record.user, request.user):
                links.append((url_of(user=record.user_id), _("All sessions of this user")))
            if record.ip_address:
                links.append((url_of(q=record.ip_address), _("All sessions from this IP address")))
            shown = format_html_join("", '<li><a href="{}">{}</a></li>', links)
            return format_html('<ul class="tb-links">{}</ul>', shown) if links else NONE

        return end_more

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutstandingToken]:
        queryset: Any = super().get_queryset(request)
        if request.path.endswith("/autocomplete/"):  # only live sessions can be blacklisted
            queryset = queryset.live().select_related("user")
        return queryset  # type: ignore[no-any-return]

    @admin.display(description=_("user"))
    def username(self, record: OutstandingToken) -> str:
        return cell(record.user or _("nobody"))

    @admin.display(description=_("state"))
    def state(self, record: OutstandingToken) -> str:
        return badge(*state_of(record))

    @admin.display(description=_("device"))
    def device(self, record: OutstandingToken) -> str:
        return conf.DEVICE_NAME(record.user_agent) or "-"

    @admin.display(description=_("device"))
    def where(self, record: OutstandingToken) -> str:
        return where_cell(record)

    @admin.display(description=in_zone(_("signed in")), ordering="created_at")
    def signed_in(self, record: OutstandingToken) -> str:
        return time_cell(record.created_at)

    @admin.display(description=in_zone(_("refreshed")))
    def refreshed(self, record: OutstandingToken) -> str:
        return time_cell(record.refreshed_at)

    @admin.display(description=in_zone(_("expires")), ordering="expires_at")
    def expires(self, record: OutstandingToken) -> str:
        return time_cell(record.expires_at)

    @admin.display(description=_("session ID"))
    def identifier(self, record: OutstandingToken) -> str:
        return record.session_id

    @admin.display(description="jti")
    def jti(self, record: OutstandingToken) -> str:
        return record.jti

    @admin.display(description=_("history"))
    def story(self, record: OutstandingToken) -> str:
        """Return the events of the session in order."""
        events: list[tuple[Any, Any]] = [(record.created_at, _("Signed in"))]
        if record.refreshed_at:
            refreshed = ngettext("Refreshed", "Last of %(count)d refreshes", record.generation)
            events.append((record.refreshed_at, refreshed % {"count": record.generation}))
        if record.is_expired():
            events.append((record.expires_at, _("Expired")))
        elif not record.is_blacklisted:
            events.append((record.expires_at, _("Expires, unless it is refreshed")))
        if record.is_blacklisted:
            entry = record.blacklistedtoken
            how = [str(entry.get_reason_display())]
            if entry.blacklisted_by:
                how.append(_("by %(who)s") % {"who": entry.blacklisted_by})
            if entry.note:
                how.append(f"“{entry.note}”")
            events.append((entry.blacklisted_at, _("Ended: ") + ", ".join(how)))
        events = sorted(events, key=lambda event: (event[0] is not None, event[0]))
        lines = format_html_join(
            "",
            "<li>{} <span>{}</span></li>",
            ((_moment(at) if at else "?", what) for at, what in events),
        )
        return format_html('<ol class="tb-story">{}</ol>', lines)

    def csv_rows(self, records: Any) -> Iterator[tuple[Any, ...]]:
        yield "user", "state", *SESSION_COLUMNS
        for record in records:
            yield record.user, state_of(record)[1], *session_columns(record)


def state_of(record: OutstandingToken) -> tuple[str, Any]:
    """Return the kind of a session's badge, and its state in words. A possible theft is red."""
    if record.is_blacklisted:
        entry = record.blacklistedtoken
        is_theft = entry.reason == BlacklistedToken.Reason.REUSE
        return "over" if is_theft else "quiet", entry.get_reason_display()
    return ("quiet", _("expired")) if record.is_expired() else ("live", _("live"))


def _moment(at: datetime) -> str:
    return format_html(
        '<time datetime="{}">{}</time>',
        timezone.localtime(aware(at)).isoformat(timespec="seconds"),
        full_time(at),
    )
