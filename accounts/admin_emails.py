"""The admin of e-mails that wait or could not be sent, without their texts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from post_office.models import STATUS, Attachment, Email, EmailTemplate, Log

from token_blacklist.admin.base import NONE, ReadOnlyAdmin, badge, in_zone, time_cell

from . import outbox

# The library's own pages show the texts, which are encrypted here, and what this project does not
# use: templates and attachments in the database.
admin.site.unregister([Attachment, Email, EmailTemplate, Log])


@admin.register(Email)
class EmailAdmin(ReadOnlyAdmin):
    """E-mails of the outbox. One that was sent is no longer there."""

    list_display = (
        "recipients",
        "subject",
        "state",
        "since",
        "attempts",
        "next_attempt",
        "last_error",
    )
    fields = readonly_fields = list_display
    list_filter = ("status",)
    search_fields = ("to",)
    search_help_text = _("Recipient")
    sortable_by = ()
    ordering = ("-pk",)
    actions = ("send_again",)
    change_form_template = "admin/change_form.html"  # not the one of the library, which may edit

    def get_queryset(self, request: HttpRequest) -> QuerySet[Email]:
        logs = Log.objects.filter(email=OuterRef("pk")).order_by("-pk")
        found: QuerySet[Email] = (
            super()
            .get_queryset(request)
            .defer("message", "html_message", "headers", "context")
            .annotate(
                error_kind=Subquery(logs.values("exception_type")[:1]),
                error_text=Subquery(logs.values("message")[:1]),
            )
        )
        return found

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("post_office.change_email"))

    @admin.display(description=_("recipient"))
    def recipients(self, email: Email) -> str:
        return ", ".join(email.to)

    @admin.display(description=_("status"))
    def state(self, email: Email) -> str:
        if email.status == STATUS.failed:
            return badge("over", _("failed"))
        return badge("quiet", _("waiting"))

    @admin.display(description=in_zone(_("since")))
    def since(self, email: Email) -> str:
        return time_cell(email.created)

    @admin.display(description=_("attempts"))
    def attempts(self, email: Email) -> int:
        return email.number_of_retries or 0

    @admin.display(description=in_zone(_("next attempt")))
    def next_attempt(self, email: Email) -> str:
        return time_cell(email.scheduled_time if email.status != STATUS.failed else None)

    @admin.display(description=_("last error"))
    def last_error(self, email: Any) -> str:
        return f"{email.error_kind}: {email.error_text}" if email.error_kind else NONE

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Email]) -> None:
        chosen = list(queryset)
        count = outbox.send_again(queryset)
        for email in chosen:
            self.log_change(request, email, "Sent again.")
        text = ngettext(
            "%(count)d e-mail is sent again.", "%(count)d e-mails are sent again.", count
        )
        self.message_user(
            request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING
        )
        if count < len(chosen):
            self.message_user(
                request,
                _("The others are waiting, or their code or link has expired."),
                messages.WARNING,
            )
