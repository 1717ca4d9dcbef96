"""The flushes that were, and one to be started by hand."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..exceptions import ClockError
from ..models import FlushRun
from ..sessions import flush
from .base import ReadOnlyAdmin, badge

logger = logging.getLogger(__name__)

COUNTED = 10_000  # of what waits: more than a few flushes by hand would delete
SECONDS = 5  # the longest flush that a request runs


@admin.register(FlushRun)
class FlushRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "how_it_ended",
        "took",
        "outstanding_deleted",
        "blacklisted_deleted",
    )
    ordering = ("-started_at",)

    @admin.display(description=_("outcome"))
    def how_it_ended(self, run: FlushRun) -> str:
        kinds = {
            FlushRun.Outcome.DONE: "live",
            FlushRun.Outcome.FAILED: "over",
            FlushRun.Outcome.INTERRUPTED: "over",
        }
        return badge(kinds.get(FlushRun.Outcome(run.outcome), "quiet"), run.get_outcome_display())

    @admin.display(description=_("duration"))
    def took(self, run: FlushRun) -> str:
        return _("%(seconds).1f s") % {"seconds": run.duration.total_seconds()}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra: Any = None) -> HttpResponse:
        """Flush for some seconds. To add a run is to run it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._flush(request)
        context = self.admin_site.each_context(request) | {
            "title": _("Flush now"),
            "opts": self.opts,
            "media": self.media,
            "waiting": flush.waiting()[:COUNTED].count(),
            "counted": COUNTED,
            "seconds": SECONDS,
        }
        return TemplateResponse(request, "admin/token_blacklist/flush.html", context)

    def _flush(self, request: HttpRequest) -> HttpResponse:
        try:
            report = flush.delete_expired(max_seconds=SECONDS)
        except ClockError as error:
            logger.error("the flush was refused: %s", error)
            messages.error(
                request,
                _("The clocks of the server and of the database differ. Nothing was deleted."),
            )
            return HttpResponseRedirect(reverse("admin:token_blacklist_flushrun_changelist"))
        messages.success(
            request,
            ngettext(
                "Deleted %(count)d expired session.",
                "Deleted %(count)d expired sessions.",
                report.outstanding,
            )
            % {"count": report.outstanding},
        )
        if report.outcome != FlushRun.Outcome.DONE:
            messages.warning(
                request, _("The time limit was reached. Flush again to delete the rest.")
            )
        return HttpResponseRedirect(reverse("admin:token_blacklist_flushrun_changelist"))
