"""People in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import (
    AdminPasswordChangeForm,
    UnfoldReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)

from token_blacklist.admin.base import LongListMixin, bounded, moment

from .devices import device_name
from .models import StaleUser, User, normalize_email
from .sessions import MOST, live_sessions

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]  # the theme has no types
    """Django's, in the theme. A group grants rights, so superusers alone may write one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


class SetOrNot(UnfoldReadOnlyPasswordHashWidget):  # type: ignore[misc]  # the theme has no types
    """Says that there is a password, and nothing of its hash."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        usable = bool(value) and is_password_usable(value)
        context["summary"] = [{"label": _("set") if usable else _("none")}]
        return context


class PersonForm(UserChangeForm):  # type: ignore[misc]  # the theme has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("password"):
            field.widget = SetOrNot()


def _moment(record: Any) -> str:
    return localize(timezone.localtime(record.last_active)) if record.last_active else "-"


@admin.register(User)
class UserAdmin(LongListMixin, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg,misc]  # none at run time
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("address", "full_name", "is_active", "is_staff", "joined")
    list_filter = ("is_active", "is_staff")
    sortable_by = ("address", "full_name")
    search_fields = ("email", "name")
    search_help_text = _("How an e-mail address or a name begins.")
    readonly_fields = ("last_login", "date_joined", "live_sessions")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Sessions"), {"fields": ("live_sessions",)}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    class Media:
        css = {"all": ["token_blacklist/admin.css", "css/people.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find by how an address or a name begins: an index serves that, and nothing else."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if not term.isprintable():
            return queryset.none(), False
        found = Q(email__startswith=normalize_email(term))
        for spelling in {term, term.lower(), term.title()}:
            found |= Q(name__startswith=spelling)
        return queryset.filter(found), False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out what is not this person's to see or to grant."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        hidden: set[str] = set()
        if not request.user.has_perm("token_blacklist.view_outstandingtoken"):
            hidden |= {"live_sessions"}
        if not request.user.is_superuser:  # who could grant could grant it all to themselves
            hidden |= {"is_staff", "is_superuser", "groups", "user_permissions"}
        kept = (
            (title, {"fields": tuple(name for name in options["fields"] if name not in hidden)})
            for title, options in fieldsets
        )
        return tuple(entry for entry in kept if entry[1]["fields"])

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  # Django's name
        form_url: str = "",
    ) -> HttpResponse:
        try:
            return super().user_change_password(request, id, form_url)
        except StaleUser:
            words = _("The account was changed at the same time. Check it, and try again.")
            self.message_user(request, words, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, person: User | None) -> bool:
        """Say no to colleagues: a new address or password would be a way into their account."""
        if person is None or request.user.is_superuser:
            return True
        return not (person.is_staff or person.is_superuser)

    @admin.display(description=_("e-mail address"), ordering="email")
    def address(self, user: User) -> str:
        return bounded(user.email)

    @admin.display(description=_("name"), ordering="name")
    def full_name(self, user: User) -> str:
        return bounded(user.name)

    @admin.display(description=_("joined"), ordering="date_joined")
    def joined(self, user: User) -> str:
        return moment(user.date_joined)

    @admin.display(description=_("live sessions"))
    def live_sessions(self, person: User) -> str:
        """List where the person is signed in, with a way to end it all."""
        if not hasattr(person, "_live_sessions"):  # the theme asks five times
            person._live_sessions = self._live_sessions(person)  # type: ignore[attr-defined]
        return person._live_sessions  # type: ignore[attr-defined,no-any-return]

    @staticmethod
    def _live_sessions(person: User) -> str:
        found = list(live_sessions(person)[: MOST + 1])
        if not found and not person.last_login:
            return str(_("none"))
        rows = format_html_join(
            "",
            '<li><a href="{}">{}</a> {}, {}</li>',
            (
                (
                    reverse("admin:token_blacklist_outstandingtoken_change", args=(record.pk,)),
                    device_name(record.user_agent),
                    record.ip_address or "-",
                    _moment(record),
                )
                for record in found[:MOST]
            ),
        )
        end = reverse("admin:token_blacklist_outstandingtoken_end")
        button = format_html(
            '<a class="tb-button" href="{}?people={}">{}</a>',
            end,
            person.pk,
            _("Sign out everywhere"),
        )
        story = format_html('<ul class="tb-story">{}</ul>', rows)
        none = format_html("<p>{}</p>", _("none"))
        return format_html("{}<p>{}</p>", story if found else none, button)
