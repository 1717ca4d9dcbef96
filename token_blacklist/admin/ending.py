"""End sessions in the admin: one by a button, or many after a confirmation page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..conf import conf
from ..middleware import session_id_of
from ..models import BlacklistedToken, OutstandingToken, OutstandingTokenQuerySet
from ..redirects import own_path
from ..sessions.end import revoke_session, revoke_sessions
from .base import admin_url
from .staff import left_out_message, may_end_sessions_of

MAY_END = "token_blacklist.add_blacklistedtoken"
END_SESSION = _("End session")
MAX_SESSIONS_PER_REQUEST = 10_000  # so that ending them takes only seconds


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_(
            "Why these sessions end. Shown among the ended sessions; the owner may read it, too."
        ),
    )


@dataclass(frozen=True)
class Chosen:
    """The newest live sessions of a queryset that a user may end, and a message about others."""

    sessions: list[OutstandingToken]
    has_more: bool
    left_out: str

    @classmethod
    def of(cls, queryset: OutstandingTokenQuerySet, request: HttpRequest) -> Self:
        """Read the sessions. One SELECT.

        The session of the request itself is left out of a search or filter, except by user, so that
        the admin can see the result.
        """
        limit = MAX_SESSIONS_PER_REQUEST
        found = list(queryset.live().select_related(None).select_related("user")[: limit + 1])
        has_more = len(found) > limit
        found = found[:limit]
        is_selected = request.POST.get("select_across", "0") == "0" and "action" in request.POST
        if not is_selected and "user" not in request.GET:
            own = session_id_of(request)
            found = [record for record in found if record.session_id != own]
        sessions = [record for record in found if may_end_sessions_of(record.user, request.user)]
        return cls(sessions, has_more, left_out_message(len(found) - len(sessions)))

    @property
    def owners(self) -> set[Any]:
        """The users of the sessions."""
        return {record.user for record in self.sessions} - {None}


class EndingMixin:
    """Adds an action that ends selected sessions, and a button that ends one."""

    admin_site: Any
    opts: Any
    actions: Any = ("end_selected",)

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("end/", view(self.end_matching_view), name=f"{name}_end"),
            path("<int:pk>/end/", view(self.end_one_view), name=f"{name}_end_one"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_END)

    @admin.action(description=_("End the selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Show how many sessions would end, and end them after confirmation."""
        form = NoteForm(request.POST if "confirmed" in request.POST else None)
        chosen = Chosen.of(queryset, request)
        if not form.is_valid():
            return self._confirmation(request, form, chosen)
        note = form.cleaned_data["note"]
        count = revoke_sessions(
            OutstandingToken.objects.filter(pk__in=[record.pk for record in chosen.sessions]),
            reason=BlacklistedToken.Reason.ADMIN,
            by=request.user,  # type: ignore[arg-type]  # only a user can have the permission
            note=note,
        )
        log(request, chosen.sessions, note)
        report(request, chosen, count)
        return None

    def end_matching_view(self, request: HttpRequest) -> HttpResponse:
        """Show and end the sessions that the list shows for the same query, such as `?user=1`.

        `next` in the query is the page to return to.
        """
        if not self.has_end_permission(request):
            raise PermissionDenied
        query = request.GET.copy()
        page = query.pop("next", [""])[0]
        back = own_path(page) or f"{self._list_url()}?{query.urlencode()}"
        request.GET = query  # type: ignore[assignment]  # or the list would filter by `next`
        try:
            listed: Any = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        asked: Any = self.end_selected(request, listed.queryset)
        if asked is None:
            return HttpResponseRedirect(back)
        asked.context_data["back"] = back
        return asked  # type: ignore[no-any-return]

    def _confirmation(self, request: HttpRequest, form: NoteForm, chosen: Chosen) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("End sessions"),
            "opts": self.opts,
            "form": form,
            "media": self.media,  # type: ignore[attr-defined]
            "at_once": number_format(MAX_SESSIONS_PER_REQUEST, force_grouping=True),
            "sessions": len(chosen.sessions),
            "users": len(chosen.owners),
            "more": chosen.has_more,
            "left_out": chosen.left_out,
            "checkbox": ACTION_CHECKBOX_NAME,
            "checked": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across"),
            "back": request.get_full_path(),
        }
        request.current_app = self.admin_site.name  # for `{% url %}`
        template = "admin/token_blacklist/end_sessions.html"
        return TemplateResponse(request, template, context, status=400 if form.errors else 200)

    def end_one_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End one session, with a note if the form has one. GET redirects to the session's page."""
        if not self.has_end_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            page = "token_blacklist_outstandingtoken_change"
            return HttpResponseRedirect(admin_url(self.admin_site, page, pk))
        record = OutstandingToken.objects.select_related("user").filter(pk=pk).first()
        if record is not None and not may_end_sessions_of(record.user, request.user):
            raise PermissionDenied
        back = own_path(request.GET.get("next")) or self._list_url()
        form = NoteForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(map(str, form.errors["note"])))
            return HttpResponseRedirect(back)
        note, ended = form.cleaned_data["note"], False
        if record is not None:
            _record, ended = revoke_session(
                record, reason=BlacklistedToken.Reason.ADMIN, by=request.user, note=note
            )
        if record is None or not ended:
            messages.info(request, _("This session had already ended."))
        else:
            log(request, [record], note)
            messages.success(
                request,
                _("Ended the session of %(user)s: %(device)s.")
                % {"user": record.user or _("nobody"), "device": device_and_address(record)},
            )
        return HttpResponseRedirect(back)

    def _list_url(self) -> str:
        return admin_url(self.admin_site, "token_blacklist_outstandingtoken_changelist")


def report(request: HttpRequest, chosen: Chosen, count: int) -> None:
    """Show messages about the sessions that were ended, and about those that were not."""
    if count or not chosen.left_out:
        whose = chosen.owners
        many = ngettext("%(count)d user", "%(count)d users", len(whose)) % {"count": len(whose)}
        text = ngettext(
            "Ended %(count)d session of %(whose)s.",
            "Ended %(count)d sessions of %(whose)s.",
            count,
        )
        named = whose.pop() if len(whose) == 1 else many
        messages.success(request, text % {"count": count, "whose": named})
    if chosen.left_out:
        messages.warning(request, chosen.left_out)
    if chosen.has_more:
        messages.warning(request, _("There may be more sessions. Repeat this to end them."))


def device_and_address(record: OutstandingToken) -> str:
    """Return the device and the IP address of a session, so that users recognize it."""
    device = conf.DEVICE_NAME(record.user_agent) or "-"
    return f"{device}, {record.ip_address}" if record.ip_address else device


def end_button(
    record: OutstandingToken,
    back: str,
    *,
    site: AdminSite,
    form: str = "",
    text: Any = END_SESSION,
) -> str:
    """Return a button that ends a session by POST, with the CSRF token of its form.

    `back` is the page to return to. `form` is the id of the form, by default the enclosing one.
    """
    url = admin_url(site, "token_blacklist_outstandingtoken_end_one", record.pk)
    return format_html(
        '<button type="submit" class="tb-button" {} formaction="{}" aria-label="{}">{}</button>',
        format_html('form="{}"', form) if form else "",
        f"{url}?{urlencode({'next': back})}",
        f"{text}: {device_and_address(record)}",
        text,
    )


def note_field() -> str:
    """Return the field for the note of the button that ends one session."""
    return format_html(
        '<label class="tb-note"><span>{}</span> '
        '<input type="text" name="note" maxlength="255"></label>',
        _("Note (optional; the owner may read it)"),
    )


def end_all_url(back: str, *, site: AdminSite, **query: Any) -> str:
    """Return the URL of the page that counts and ends the sessions of a query, such as `user=1`."""
    url = admin_url(site, "token_blacklist_outstandingtoken_end")
    return f"{url}?{urlencode({**query, 'next': back})}"


def log(request: HttpRequest, records: list[OutstandingToken], note: str = "") -> None:
    """Record in the admin's log who ended which sessions."""
    who: Any = request.user.pk
    LogEntry.objects.log_actions(who, records, CHANGE, f"Ended. {note}".strip())
