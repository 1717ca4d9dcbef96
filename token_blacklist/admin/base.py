"""Base classes of the admin: the theme, read-only pages, and lists for a million rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.contrib.admin import ShowFacets
from django.contrib.admin.sites import AdminSite
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import cached_property, lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _

from ..conf import conf
from ..models import OutstandingToken
from ..utils import aware, aware_now

if TYPE_CHECKING or not apps.is_installed("unfold"):
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.views.main import ChangeList
else:
    from unfold.admin import ModelAdmin
    from unfold.views import ChangeList

BREAK = SafeString("<wbr>@")
NONE = format_html('<span class="tb-none">{}</span>', "-")  # a card leaves it out
MAX_LISTED_ROWS = 1_000  # that are counted and can be paged to; others need a search


class AtLeast(int):
    """A count that was stopped at a limit. Pages show it as "1,000+"."""

    def __str__(self) -> str:
        return f"{number_format(int(self), force_grouping=True)}+"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # none at run time
    """Counts at most 1,000 rows, because a full COUNT reads the whole table.

    It counts in the order of the list, so that PostgreSQL uses the same index and stops after 1,000
    rows.
    """

    max_count = MAX_LISTED_ROWS

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        count: int = rows[: self.max_count + 1].count()
        return AtLeast(self.max_count) if count > self.max_count else count

    @property
    def limit(self) -> str:
        return number_format(self.max_count, force_grouping=True)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that were not counted."""
        return isinstance(self.count, AtLeast)


class LongChangeList(ChangeList):
    """A changelist whose queries are as fast with a million rows as with ten."""

    sortable_by: Any

    def get_results(self, request: HttpRequest) -> None:
        """Also limit a list of one page, which Django reads without a LIMIT.

        Without one, PostgreSQL plans to join and sort all rows that may match the filters.
        """
        super().get_results(request)
        if not self.result_list.query.is_sliced:
            self.result_list = self.result_list[: self.list_max_show_all]

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return the field to sort by, or None if there is no index for it.

        For a column that is not in `sortable_by`, Django only hides the link.
        """
        if field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)


class LongListMixin:
    """Uses LongChangeList and a bounded paginator, and counts no rows for the filters.

    "Show counts" counts all rows for each value of each filter: eight minutes for a million
    sessions on PostgreSQL, which also goes on after the browser has given up.
    """

    change_list_template: Any = "admin/token_blacklist/change_list.html"
    paginator: ClassVar[Any] = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return LongChangeList


class ReadOnlyAdmin(LongListMixin, ModelAdmin):  # type: ignore[type-arg]  # none at run time
    """A read-only admin, because records are written only by sign-ins, sign-outs and the flush."""

    class Media:
        css = {"all": ["token_blacklist/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def admin_url(site: AdminSite, name: str, *args: Any) -> str:
    """Return the URL of a page on that admin site. A project can have several."""
    return reverse(f"admin:{name}", args=args, current_app=site.name)


def time_cell(at: datetime | None) -> str:
    """Return a table cell with a short form of the time, and the full form as its title."""
    if at is None:
        return NONE
    local = timezone.localtime(aware(at))
    this_year = local.year == timezone.localtime(aware_now()).year
    text = date_format(local, _("j M, H:i") if this_year else _("j M Y, H:i"))
    return format_html(
        '<time class="tb-line" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        full_time(local),
        text,
    )


def full_time(at: datetime) -> str:
    """Return the time with its year and zone, in the 24-hour form that lists use."""
    local = timezone.localtime(aware(at))
    return f"{date_format(local, _('j M Y, H:i'))} {_zone(local)}"


def in_zone(name: Any) -> Any:
    """Return the head of a column of times, with the zone that they are in: "signed in (CET)"."""
    return format_lazy("{} ({})", name, _current_zone())  # type: ignore[no-untyped-call]


def _zone(local: datetime) -> str:
    """Return the abbreviation of the time's zone. A zone without one has an offset: "UTC+03"."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


_current_zone = lazy(lambda: _zone(timezone.localtime(aware_now())), str)


def cell(text: object) -> str:
    """Return a table cell of at most two lines, with the full text as its title.

    An e-mail address is broken before its @.
    """
    if not text:
        return NONE
    parts = format_html_join(BREAK, "{}", ((part,) for part in str(text).split("@")))
    return format_html('<span class="tb-cell" title="{}">{}</span>', text, parts)


def where_cell(record: OutstandingToken) -> str:
    """Return a table cell with the device and the IP address of a session."""
    return format_html(
        '<div>{}<small class="tb-cell">{}</small></div>',
        cell(conf.DEVICE_NAME(record.user_agent)),
        record.ip_address or "-",
    )


def badge(kind: str, text: object) -> str:
    return format_html('<span class="tb-badge tb-{}">{}</span>', kind, text)
