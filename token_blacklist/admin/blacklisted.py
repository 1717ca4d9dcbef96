"""The admin of the blacklist. Adding a record ends the session that it points to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..models import BlacklistedToken, OutstandingToken
from ..sessions.end import revoke_session
from .base import ReadOnlyAdmin, cell, in_zone, time_cell, where_cell
from .export import SESSION_COLUMNS, ExportMixin, session_columns
from .search import SearchMixin
from .staff import ONLY_SUPERUSERS, may_end_sessions_of


class EndingForm(ModelForm):  # type: ignore[type-arg]  # none at run time
    """Ends a session on behalf of the user `who`, whom `get_form` sets."""

    who: Any

    def clean_token(self) -> OutstandingToken:
        session: OutstandingToken = self.cleaned_data["token"]
        if not may_end_sessions_of(session.user, self.who):
            raise ValidationError(ONLY_SUPERUSERS)
        return session


@admin.register(BlacklistedToken)
class BlacklistedTokenAdmin(SearchMixin, ExportMixin, ReadOnlyAdmin):
    """To blacklist a session, add a record that points to it. This cannot be undone."""

    form = EndingForm
    fields = ("token", "note")
    autocomplete_fields = ("token",)
    list_display = (
        "username",
        "reason",
        "where",
        "since",
        "by",
        "why",
    )
    list_filter = ("reason", "blacklisted_at")
    list_select_related = ("token__user", "blacklisted_by")
    search_path = "token__"
    show_add_link = False  # django-unfold's "+": nobody expects that it ends a session
    sortable_by = ("since",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order search results by session, because the search uses the indexes of the sessions."""
        return ("-token",) if request.GET.get("q") else ("-blacklisted_at",)

    @admin.display(description=_("user"))
    def username(self, entry: BlacklistedToken) -> str:
        return cell(entry.token.user or _("nobody"))

    @admin.display(description=_("device"))
    def where(self, entry: BlacklistedToken) -> str:
        return where_cell(entry.token)

    @admin.display(description=_("ended by"))
    def by(self, entry: BlacklistedToken) -> str:
        return cell(entry.blacklisted_by)

    @admin.display(description=_("note"))
    def why(self, entry: BlacklistedToken) -> str:
        return cell(entry.note)

    @admin.display(description=in_zone(_("ended")), ordering="blacklisted_at")
    def since(self, entry: BlacklistedToken) -> str:
        return time_cell(entry.blacklisted_at)

    def csv_rows(self, records: Any) -> Iterator[tuple[Any, ...]]:
        yield "user", "ended", "reason", "ended_by", "note", *SESSION_COLUMNS
        for entry in records:
            how = (entry.get_reason_display(), entry.blacklisted_by, entry.note)
            yield entry.token.user, entry.blacklisted_at, *how, *session_columns(entry.token)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: BlacklistedToken | None = None) -> Any:
        if obj is None:
            return self.fields
        return ("token", "reason", "where", "since", "blacklisted_by", "note")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)  # a new class for each request
        form.who = request.user
        return form

    def save_model(
        self, request: HttpRequest, obj: BlacklistedToken, form: ModelForm[Any], change: bool
    ) -> None:
        entry, _created = revoke_session(
            obj.token, reason=BlacklistedToken.Reason.ADMIN, by=request.user, note=obj.note
        )
        if entry is not None:
            obj.pk = entry.pk

    def log_addition(self, request: HttpRequest, obj: BlacklistedToken, message: Any) -> Any:
        return super().log_addition(request, obj, message) if obj.pk else None

    def response_add(
        self, request: HttpRequest, obj: BlacklistedToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.pk:
            return super().response_add(request, obj, post_url_continue)
        messages.info(request, _("This session no longer exists. There was nothing to end."))
        return self.response_post_save_add(request, obj)
