"""The admin of users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from token_blacklist.admin.base import (
    LongChangeList,
    LongListMixin,
    admin_url,
    cell,
    full_time,
    in_zone,
    time_cell,
)
from token_blacklist.admin.ending import MAY_END, end_all_url, end_button
from token_blacklist.admin.search import WithoutTokensMixin
from token_blacklist.admin.staff import may_end_sessions_of
from token_blacklist.exceptions import too_many

from . import admin_emails  # noqa: F401  # registers them
from . import admin_sign_in as sign_in
from .admin_forms import NewUserForm, PasswordForm, UserForm
from .devices import device_name
from .models import User
from .permission_names import PermissionsField
from .rate_limits import longest_wait
from .sessions import last_active, live_sessions

MAY_SEND = "accounts.send_password_link"
MAY_REMOVE = "accounts.remove_second_factor"
LISTED_SESSIONS = 10
UNCHECKED = ("account", "admin", "contenttypes", "mfa", "sessions", "socialaccount")
BUTTONS_FORM_ID = "user-actions"  # the id of the form of the buttons on a user's page
NO_LINK = _("No link is sent to an inactive user or one without a password.")

# The user page shows what support needs from these, without the secrets.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])
admin.site.unregister(Group)


class PermissionsMixin:
    """Offers no permissions that nothing checks: those of tables inside of Django and allauth."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.related_model is Permission:
            useful = Permission.objects.exclude(content_type__app_label__in=UNCHECKED)
            options["queryset"] = useful.select_related("content_type")
            options["form_class"] = PermissionsField
        return super().formfield_for_manytomany(db_field, request, **options)  # type: ignore[misc]


@admin.register(Group)
class GroupAdmin(  # type: ignore[misc]  # the same method with other names
    PermissionsMixin,
    WithoutTokensMixin,
    LongListMixin,
    DjangoGroupAdmin,
    ModelAdmin,  # type: ignore[misc]  # the theme has no types
):
    """Django's group admin. Only superusers may change groups, because groups grant permissions."""

    sortable_by = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


def may_reset(user: User) -> bool:
    """Return whether this user may be sent a link for a new password."""
    return user.is_active and user.has_usable_password()


class UserList(LongChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Also read when the users of the page were last active. One statement."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = last_active(self.result_list)
        for user in self.result_list:
            user.last_active_at = found.get(user.pk)


@admin.register(User)
class UserAdmin(
    PermissionsMixin,
    WithoutTokensMixin,
    LongListMixin,
    DjangoUserAdmin,  # type: ignore[type-arg]  # none at run time
    ModelAdmin,  # type: ignore[misc]
):
    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    ordering = ("email",)
    list_display = ("address", "full_name", "active", "is_active", "is_staff", "joined")
    list_filter = ("is_active", "is_staff")
    sortable_by = ("address", "full_name")
    search_fields = ("email", "name")
    search_note = _("Start of an e-mail address, first or last name, or @domain")
    readonly_fields = (
        *("addresses", "second_factor", "connected_accounts", "password_link"),
        *("live_sessions", "last_active", "joined", "has_password"),
    )
    # The buttons belong to a separate form, so that Enter in a field saves the user.
    change_form_outer_after_template = "admin/accounts/user/form.html"
    fieldsets = (
        (None, {"fields": ("email", "name", "has_password", "password_link")}),
        (_("Sign-in"), {"fields": ("addresses", "second_factor", "connected_accounts")}),
        (_("Sessions"), {"fields": ("live_sessions",)}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_active", "joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Search as `UserManager.search` does, with an index."""
        if search_term.strip():
            queryset = queryset & User.objects.search(search_term)
        return queryset, False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return UserList

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out the fields that this member of staff may not see or grant."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        hidden: set[str] = set()
        if not request.user.has_perm("token_blacklist.view_outstandingtoken"):
            hidden |= {"live_sessions"}
        if not request.user.has_perm(MAY_SEND):
            hidden |= {"password_link"}
        if not request.user.is_superuser:  # otherwise staff could grant themselves permissions
            hidden |= {"is_staff", "is_superuser", "groups", "user_permissions"}
        kept = (
            (title, {"fields": tuple(name for name in options["fields"] if name not in hidden)})
            for title, options in fieldsets
        )
        return tuple(entry for entry in kept if entry[1]["fields"])

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        user = super().get_object(request, object_id, from_field)
        if user is not None:
            user._shown_to = request  # for the buttons of its page
        return user

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, user: User | None) -> bool:
        """Return whether the requester may change this user. Only superusers may change staff.

        Otherwise one could take over a staff account by a new address or password.
        """
        if user is None or request.user.is_superuser:
            return True
        return not (user.is_staff or user.is_superuser)

    @admin.display(description=_("e-mail address"), ordering="email")
    def address(self, user: User) -> str:
        return cell(user.email)

    @admin.display(description=_("name"), ordering="name")
    def full_name(self, user: User) -> str:
        return cell(user.name)

    @admin.display(description=in_zone(_("last active")))
    def active(self, user: User) -> str:
        return time_cell(user.last_active_at)  # type: ignore[attr-defined]  # from UserList

    @admin.display(description=_("last active"))
    def last_active(self, user: User) -> str:
        return render_once(user, _last_active)

    @admin.display(description=in_zone(_("joined")), ordering="date_joined")
    def joined(self, user: User) -> str:
        return time_cell(user.date_joined)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            sign_in.forget_addresses(obj)

    @admin.display(description=_("e-mail addresses"))
    def addresses(self, user: User) -> str:
        return render_once(user, sign_in.addresses)

    @admin.display(description=_("second factor"))
    def second_factor(self, user: User) -> str:
        shown = render_once(user, sign_in.second_factor)
        request = user._shown_to  # type: ignore[attr-defined]
        if "<li>" in shown and self._may_remove_second_factor(request, user):
            return shown + sign_in.remove_button(self.admin_site, user)
        return shown

    @admin.display(description=_("connected accounts"))
    def connected_accounts(self, user: User) -> str:
        return render_once(user, sign_in.connected_accounts)

    @admin.display(description=_("live sessions"))
    def live_sessions(self, user: User) -> str:
        """Return the user's live sessions, with buttons to revoke them for staff who may."""
        if not hasattr(user, "_live_sessions"):  # the theme calls this five times
            request = user._shown_to  # type: ignore[attr-defined]
            may_end = request.user.has_perm(MAY_END) and may_end_sessions_of(user, request.user)
            back = request.get_full_path() if may_end else None
            shown = session_list(self.admin_site, user, back)
            user._live_sessions = shown  # type: ignore[attr-defined]
        return user._live_sessions  # type: ignore[attr-defined,no-any-return]

    # In place of the field `password`: how Django shows that depends on its version and on the
    # theme, and with some of them it shows the hash.
    @admin.display(description=_("Password"))
    def has_password(self, user: User) -> str:
        """Return whether there is a password, with a link to set one for staff who may."""
        is_set = bool(user.password) and is_password_usable(user.password)
        shown = str(_("set") if is_set else _("not set"))
        if not self.has_change_permission(user._shown_to, user):  # type: ignore[attr-defined]
            return shown
        return format_html(
            '<div class="tb-beside">{} <a class="tb-button" href="../password/">{}</a></div>',
            shown,
            _("Set a new password"),
        )

    @admin.display(description=_("reset link"))
    def password_link(self, user: User) -> str:
        return send_button(self.admin_site, user)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<path:pk>/send-password-link/",
                view(self.send_link_view),
                name="accounts_user_send_password_link",
            ),
            path(
                "<path:pk>/remove-second-factor/",
                view(self.remove_second_factor_view),
                name="accounts_user_remove_second_factor",
            ),
            *super().get_urls(),
        ]

    def _user_of(self, request: HttpRequest, pk: str, permission: str) -> User:
        """Return the user, for a button that needs this permission.

        Raises:
            PermissionDenied: the requester lacks the permission, or may not view the user.
            Http404: there is no such user.
        """
        if not request.user.has_perm(permission):
            raise PermissionDenied
        user: User | None = self.get_object(request, pk)
        if user is None:
            raise Http404
        if not self.has_view_permission(request, user):
            raise PermissionDenied
        return user

    def _may_remove_second_factor(self, request: HttpRequest, user: User) -> bool:
        may_view = self.has_view_permission(request, user)
        return may_view and request.user.has_perm(MAY_REMOVE) and self._may_touch(request, user)

    def remove_second_factor_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """GET shows a confirmation page; POST removes the user's second factor."""
        user = self._user_of(request, pk, MAY_REMOVE)
        if not self._may_touch(request, user):
            raise PermissionDenied
        back = admin_url(self.admin_site, "accounts_user_change", user.pk)
        if request.method == "POST":
            self._remove_second_factor(request, user)
            return HttpResponseRedirect(back)
        context = self.admin_site.each_context(request) | {
            "title": _("Remove the second factor"),
            "opts": self.opts,
            "media": self.media,
            "user_shown": user.email,
            "factors": sign_in.factors_of(user),
            "back": back,
        }
        request.current_app = self.admin_site.name  # for `{% url %}`
        return TemplateResponse(request, "admin/accounts/user/remove_second_factor.html", context)

    def _remove_second_factor(self, request: HttpRequest, user: User) -> None:
        if not sign_in.remove_second_factor(request, user):
            self.message_user(request, _("This user has no second factor."), messages.INFO)
            return
        self.log_change(request, user, "Removed the second factor.")
        removed = _("Removed the second factor of %(email)s.") % {"email": user.email}
        self.message_user(request, removed, messages.SUCCESS)

    def send_link_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Send the user a password reset e-mail. Only POST is allowed."""
        if request.method != "POST":
            raise PermissionDenied
        user = self._user_of(request, pk, MAY_SEND)
        level, text = self._send_link(request, user)
        self.message_user(request, text, level)
        return HttpResponseRedirect(admin_url(self.admin_site, "accounts_user_change", user.pk))

    def _send_link(self, request: HttpRequest, user: User) -> tuple[int, Any]:
        """Send the link; return the level and the text of the message to show."""
        if not may_reset(user):
            return messages.ERROR, NO_LINK
        if not ratelimit.consume(request, action="reset_password", key=user.email):
            return messages.ERROR, too_many(longest_wait("reset_password"))
        form = ResetPasswordForm({"email": user.email})
        if form.is_valid():
            form.save(request)
        self.log_change(request, user, "Sent a link for a new password.")
        sent = _("Sent a link for a new password to %(email)s.") % {"email": user.email}
        return messages.SUCCESS, sent


def render_once(user: User, make: Callable[[User], str]) -> str:
    """Return the HTML from `make(user)`, cached on the user: the theme reads a field five times."""
    shown: dict[str, str] = vars(user).setdefault("_shown", {})
    if make.__name__ not in shown:
        shown[make.__name__] = make(user)
    return shown[make.__name__]


def _last_active(user: User) -> str:
    at = last_active([user]).get(user.pk)
    return full_time(at) if at else "-"


def session_list(site: AdminSite, user: User, back: str | None) -> str:
    """Return a list of the user's latest live sessions as HTML, with links to that admin site.

    With `back`, the URL of the page to return to, it has buttons to end them.
    """
    found = list(live_sessions(user)[: LISTED_SESSIONS + 1])
    rows = format_html_join(
        "",
        '<li><span><a href="{}">{}</a><br><small>{}</small></span>{}</li>',
        (
            (
                admin_url(site, "token_blacklist_outstandingtoken_change", record.pk),
                device_name(record.user_agent),
                format_html_join(" · ", "{}", ((part,) for part in _facts(record))),
                end_button(record, back, site=site, form=BUTTONS_FORM_ID) if back else "",
            )
            for record in found[:LISTED_SESSIONS]
        ),
    )
    shown = format_html('<ul class="tb-sessions">{}</ul>', rows) if found else _("none")
    if len(found) > LISTED_SESSIONS:
        more = _("Only the latest %(count)d are listed.") % {"count": LISTED_SESSIONS}
        shown = format_html('{}<p class="tb-apart">{}</p>', shown, more)
    if back and found:
        shown = format_html(
            '<p class="tb-above"><a class="tb-button tb-danger" href="{}">{}</a></p>{}',
            end_all_url(back, site=site, user=user.pk),
            _("Sign out everywhere"),
            shown,
        )
    return format_html(
        '{}<p class="tb-apart"><a class="tb-link" href="{}?user={}">{}</a></p>',
        shown,
        admin_url(site, "token_blacklist_outstandingtoken_changelist"),
        user.pk,
        _("All sessions, live and ended"),
    )


def _facts(record: Any) -> Iterator[str]:
    if record.last_active:
        yield _("Last active %(time)s") % {"time": full_time(record.last_active)}
    if record.ip_address:
        yield record.ip_address


def send_button(site: AdminSite, user: User) -> str:
    """Return the button that sends a link for a new password, or a text that says why not."""
    if not may_reset(user):
        return str(NO_LINK)
    return format_html(
        '<button type="submit" class="tb-button" form="{}" formaction="{}">{}</button>',
        BUTTONS_FORM_ID,
        admin_url(site, "accounts_user_send_password_link", user.pk),
        _("Send a link for a new password"),
    )
