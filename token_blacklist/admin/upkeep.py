"""The admin of past flush runs."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import FlushRun
from .base import ReadOnlyAdmin, badge, in_zone, time_cell


@admin.register(FlushRun)
class FlushRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started",
        "how_it_ended",
        "took",
        "outstanding_deleted",
        "blacklisted_deleted",
    )
    ordering = ("-started_at",)
    empty_note = _("No flush has run yet.")  # the heading of the empty list

    @admin.display(description=in_zone(_("started")))
    def started(self, run: FlushRun) -> str:
        return time_cell(run.started_at)

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
