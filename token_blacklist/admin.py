"""The two lists and the flush in Django's admin. Nothing here can show a token: none is kept."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import LATER_JTI, BlacklistedToken, FlushRun, OutstandingToken

PERSON = get_user_model().USERNAME_FIELD  # by which a person is searched for


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no type arguments at run time
    """To be looked at: records are the work of sign-ins, sign-outs and the flush."""

    show_full_result_count = False  # the lists are long

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OutstandingToken)
class OutstandingTokenAdmin(ReadOnlyAdmin):
    list_display = (
        "session_id",
        "user",
        "state",
        "ip_address",
        "created_at",
        "refreshed_at",
        "expires_at",
    )
    list_select_related = ("user", "blacklistedtoken")
    search_fields = ("=session_id", f"=user__{PERSON}")
    ordering = ("-id",)

    @admin.display(description=_("state"))
    def state(self, record: OutstandingToken) -> str:
        if record.is_blacklisted:
            return str(record.blacklistedtoken.get_reason_display())
        return str(_("expired") if record.is_expired() else _("live"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutstandingToken], search_term: str
    ) -> tuple[QuerySet[OutstandingToken], bool]:
        """Find a session by any jti that it had."""
        if later := LATER_JTI.fullmatch(search_term.strip()):
            search_term = later["session_id"]
        return super().get_search_results(request, queryset, search_term)


@admin.register(BlacklistedToken)
class BlacklistedTokenAdmin(ReadOnlyAdmin):
    """To blacklist a session, add a record that points to it. It cannot be taken back."""

    fields = ("token",)
    autocomplete_fields = ("token",)
    list_display = (
        "session_id",
        "user",
        "reason",
        "blacklisted_by",
        "blacklisted_at",
    )
    list_select_related = ("token__user", "blacklisted_by")
    search_fields = ("=token__session_id", f"=token__user__{PERSON}")
    ordering = ("-id",)

    @admin.display(description=_("session id"))
    def session_id(self, entry: BlacklistedToken) -> str:
        return entry.token.session_id

    @admin.display(description=_("user"))
    def user(self, entry: BlacklistedToken) -> Any:
        return entry.token.user

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: BlacklistedToken | None = None) -> Any:
        if obj is None:
            return self.fields
        return ("token", "reason", "blacklisted_by", "blacklisted_at")

    def save_model(
        self, request: HttpRequest, obj: BlacklistedToken, form: ModelForm[Any], change: bool
    ) -> None:
        entry, _created = BlacklistedToken.objects.insert(
            obj.token, reason=BlacklistedToken.Reason.ADMIN, by=request.user
        )
        if entry is not None:
            obj.pk = entry.pk


@admin.register(FlushRun)
class FlushRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "outcome",
        "duration",
        "outstanding_deleted",
        "blacklisted_deleted",
    )
    ordering = ("-started_at",)
