"""Ending many sessions at once, after a page with their number and that of their users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..conf import conf
from ..models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from ..redirects import own_path
from ..sessions.end import revoke_session, revoke_sessions
from ..signals import signed_out_everywhere

AT_ONCE = 10_000  # sessions that one request ends: it is answered within seconds
MAY_END = "token_blacklist.add_blacklistedtoken"
END_SESSION = _("End session")


class KeysField(forms.CharField):
    """Primary keys with commas between them."""

    widget = forms.HiddenInput

    def __init__(self, model: Callable[[], type[Model]]) -> None:
        super().__init__(required=False)
        self.model = model  # asked for late: the user model is the site's choice

    def clean(self, value: Any) -> list[Any]:
        key = self.model()._meta.pk
        parts = super().clean(value).split(",")[:AT_ONCE]
        return [key.clean(part, None) for part in parts if part]


def datetime_field(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        help_text=lazy(timezone.get_current_timezone_name, str)(),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class EndSessionsForm(forms.Form):
    """Selects the live sessions that meet all given conditions."""

    sessions = KeysField(lambda: OutstandingToken)
    users = KeysField(get_user_model)
    ip_address = forms.GenericIPAddressField(label=_("From this IP address"), required=False)
    since = datetime_field(_("Signed in from"))
    until = datetime_field(_("Signed in until"))
    note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_("Why these sessions end. Shown in the blacklist."),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)  # the page to go back to

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.given:
            raise ValidationError(_("Enter an IP address, or when the sessions began."))
        if data.get("since") and data.get("until") and data["until"] < data["since"]:
            self.add_error("until", _("The end is before the start."))
        return data

    @property
    def given(self) -> set[str]:
        """The names of the conditions that were filled in."""
        filled = {name for name, value in self.cleaned_data.items() if value}
        return filled - {"note", "next"}

    @property
    def everywhere(self) -> bool:
        """Whether this selects every session of some users, without another condition."""
        return self.given == {"users"}

    @property
    def others(self) -> bool:
        """Whether sessions outside this app's lists end too."""
        return self.everywhere and signed_out_everywhere.has_listeners(OutstandingToken)

    def found(self) -> OutstandingTokenQuerySet:
        """Return the newest of them: AT_ONCE, and one more to know whether there are more."""
        data = self.cleaned_data
        conditions = {
            "pk__in": data["sessions"],
            "user__in": data["users"],
            "ip_address": data["ip_address"],
            "created_at__gte": data["since"],
            "created_at__lte": data["until"],
        }
        given = {name: value for name, value in conditions.items() if value}
        order = "-created_at" if data["since"] or data["until"] else "-pk"  # as there are indexes
        return OutstandingToken.objects.live().filter(**given).order_by(order)[: AT_ONCE + 1]


class EndingMixin:
    """Gives an admin the page that ends sessions, and one click for one session."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("end/", view(self.end_view), name=f"{name}_end"),
            path("<int:pk>/end/", view(self.end_one_view), name=f"{name}_end_one"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_END)

    def end_view(self, request: HttpRequest) -> HttpResponse:
        """Ask which sessions, then say how many there are, then end them."""
        if not self.has_end_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            form = EndSessionsForm(request.POST)
            if "confirmed" in request.POST and form.is_valid():
                return self._end(request, form)
            return self.confirmation(request, form)
        if set(request.GET) <= {"next"}:  # nothing was chosen yet
            return self.confirmation(request, EndSessionsForm(initial=request.GET.dict()))
        return self.confirmation(request, EndSessionsForm(request.GET))

    def confirmation(self, request: HttpRequest, form: EndSessionsForm) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("End sessions"),
            "opts": self.opts,
            "form": form,
            "media": self.media,  # type: ignore[attr-defined]
            "at_once": AT_ONCE,
            "back": self._back(form["next"].value()),
        }
        if form.is_bound and form.is_valid():
            owners = list(form.found().values_list("user", flat=True))
            context |= {
                "counted": True,
                "sessions": len(owners),
                "users": len(set(owners) - {None}),
                "more": len(owners) > AT_ONCE,
                "others": form.others,
            }
        status = 400 if form.is_bound and form.errors else 200
        return TemplateResponse(
            request, "admin/token_blacklist/end_sessions.html", context, status=status
        )

    def _end(self, request: HttpRequest, form: EndSessionsForm) -> HttpResponse:
        note = form.cleaned_data["note"]
        ended = list(form.found().select_related("user"))[:AT_ONCE]
        sessions = OutstandingToken.objects.filter(pk__in=[record.pk for record in ended])
        with transaction.atomic(router.db_for_write(OutstandingToken)):
            if form.everywhere:
                users = get_user_model()._default_manager.filter(pk__in=form.cleaned_data["users"])
                signed_out_everywhere.send(OutstandingToken, users=users)
            count = revoke_sessions(
                sessions,
                reason=BlacklistedToken.Reason.ADMIN,
                by=request.user,  # type: ignore[arg-type]  # who has the permission is a user
                note=note,
            )
        log(request, ended, note)
        back = HttpResponseRedirect(self._back(form.cleaned_data["next"]))
        if form.others and not count:
            messages.success(request, _("Signed out of the admin."))
            return back
        whose = {record.user for record in ended} - {None}
        many = ngettext("%(count)d user", "%(count)d users", len(whose)) % {"count": len(whose)}
        messages.success(
            request,
            ngettext(
                "Ended %(count)d session of %(whose)s.",
                "Ended %(count)d sessions of %(whose)s.",
                count,
            )
            % {"count": count, "whose": whose.pop() if len(whose) == 1 else many},
        )
        if len(ended) == AT_ONCE:
            messages.warning(request, _("There may be more sessions. Repeat this to end them."))
        return back

    def end_one_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End one session, by POST alone."""
        if not self.has_end_permission(request) or request.method != "POST":
            raise PermissionDenied
        record = OutstandingToken.objects.select_related("user").filter(pk=pk).first()
        ended = False
        if record is not None:
            _record, ended = revoke_session(
                record, reason=BlacklistedToken.Reason.ADMIN, by=request.user
            )
        if record is None or not ended:
            messages.info(request, _("This session had already ended."))
        else:
            log(request, [record])
            messages.success(
                request,
                _("Ended the session of %(user)s: %(device)s.")
                % {"user": record.user or _("nobody"), "device": device_and_address(record)},
            )
        return HttpResponseRedirect(self._back(request.GET.get("next")))

    def _back(self, page: str | None) -> str:
        """Return the page to show afterwards: the one named, if it is of this site, or the list."""
        changelist = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return own_path(page) or reverse(changelist)


def device_and_address(record: OutstandingToken) -> str:
    """Return the device and the address of a session, for its user to know it by."""
    device = conf.DEVICE_NAME(record.user_agent) or "-"
    return f"{device}, {record.ip_address}" if record.ip_address else device


def end_button(
    record: OutstandingToken, back: str, *, form: str = "", text: Any = END_SESSION
) -> str:
    """A button that ends a session at one click: by POST, with the CSRF token of its form.

    `back` is the page to show afterwards, `form` the id of the form, else the one around it.
    """
    url = reverse("admin:token_blacklist_outstandingtoken_end_one", args=(record.pk,))
    return format_html(
        '<button type="submit" class="tb-button" {} formaction="{}" aria-label="{}">{}</button>',
        format_html('form="{}"', form) if form else "",
        f"{url}?{urlencode({'next': back})}",
        f"{text}: {device_and_address(record)}",
        text,
    )


def log(request: HttpRequest, records: list[OutstandingToken], note: str = "") -> None:
    """Write into Django's log who ended which sessions."""
    who: Any = request.user.pk
    LogEntry.objects.log_actions(who, records, CHANGE, f"Ended. {note}".strip())
