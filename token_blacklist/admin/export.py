"""Export a list of the admin as CSV, such as for the report of an incident."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path

from ..conf import conf
from ..models import OutstandingToken
from ..utils import aware
from .base import admin_url
from .search import without_token

MAX_EXPORTED_ROWS = 10_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # spreadsheets run a cell that begins with these
SESSION_COLUMNS = (
    *("device", "ip_address", "user_agent", "signed_in", "refreshed", "expires", "session_id"),
)


def session_columns(record: OutstandingToken) -> tuple[Any, ...]:
    """Return the values of SESSION_COLUMNS."""
    return (
        conf.DEVICE_NAME(record.user_agent),
        record.ip_address,
        record.user_agent,
        record.created_at,
        record.refreshed_at,
        record.expires_at,
        record.session_id,
    )


class ExportMixin:
    """Adds a button to a list that downloads the rows that its search and filters show.

    The class has a method `csv_rows(records)`, which yields the names of the columns, then the
    values of each record.
    """

    csv_rows: Callable[[Any], Iterator[tuple[Any, ...]]]
    admin_site: Any
    model: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_csv"
        view = self.admin_site.admin_view(self.csv_view)
        return [path("csv/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        url = f"{self._url('csv')}?{request.GET.urlencode()}"
        context = {"csv_url": url, **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc,no-any-return]

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Send at most 10,000 rows, and record who exported them. Only POST is allowed."""
        if request.method != "POST" or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            listed: Any = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._url("changelist"))
        # Read before the response starts: an error can still become an error page.
        records = list(listed.queryset[:MAX_EXPORTED_ROWS])
        self._log_export(request, len(records))
        return StreamingHttpResponse(
            _lines(self.csv_rows(records)),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{self.opts.model_name}.csv"',
                "Cache-Control": "no-store",
            },
        )

    def _log_export(self, request: HttpRequest, count: int) -> None:
        query = without_token(request.GET).urlencode()
        user: Any = request.user
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr="CSV",
            action_flag=CHANGE,
            change_message=f"Exported {count} rows. {query}".strip(),
        )

    def _url(self, page: str) -> str:
        return admin_url(self.admin_site, f"{self.opts.app_label}_{self.opts.model_name}_{page}")


class _Echo:
    """A file whose `write` returns what it is given."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # otherwise Excel does not read it as UTF-8
    for row in rows:
        yield writer.writerow(map(_text, row))


def _text(value: Any) -> str:
    """Return the value of a cell: a time in UTC, and a text that no spreadsheet runs."""
    if isinstance(value, datetime):
        return aware(value).astimezone(UTC).isoformat(timespec="seconds")
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
