"""Ending many sessions at once, after a page with their number and that of their users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..conf import conf
from ..middleware import session_id_of
from ..models import BlacklistedToken, OutstandingToken
from ..redirects import own_path
from ..sessions.end import revoke_session, revoke_sessions
from .forms import EndSessionsForm
from .staff import left_out, may_end_sessions_of

MAY_END = "token_blacklist.add_blacklistedtoken"
END_SESSION = _("End session")


@dataclass(frozen=True)
class Chosen:
    """The sessions of a form that its sender may end, and a sentence about the rest."""

    sessions: list[OutstandingToken]
    has_more: bool
    left_out: str

    @classmethod
    def by(cls, form: EndSessionsForm, request: HttpRequest) -> Self:
        """Read the sessions. One SELECT.

        Conditions leave out the session that sends the form, whose user could not see the result.
        """
        found = list(form.found().select_related("user"))
        has_more = len(found) > form.most
        found = found[: form.most]
        if not form.names_sessions:
            own = session_id_of(request)
            found = [record for record in found if record.session_id != own]
        sessions = [record for record in found if may_end_sessions_of(record.user, request.user)]
        return cls(sessions, has_more, left_out(len(found) - len(sessions)))

    @property
    def owners(self) -> set[Any]:
        """The users of the sessions."""
        return {record.user for record in self.sessions} - {None}


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
        """Show the form, then the number of sessions, then end them."""
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
            "at_once": form.most,
            "back": self._back(form["next"].value()),
        }
        if form.is_bound and form.is_valid():
            chosen = Chosen.by(form, request)
            context |= {
                "counted": True,
                "sessions": len(chosen.sessions),
                "users": len(chosen.owners),
                "more": chosen.has_more,
                "left_out": chosen.left_out,
            }
        status = 400 if form.is_bound and form.errors else 200
        return TemplateResponse(
            request, "admin/token_blacklist/end_sessions.html", context, status=status
        )

    def _end(self, request: HttpRequest, form: EndSessionsForm) -> HttpResponse:
        note = form.cleaned_data["note"]
        chosen = Chosen.by(form, request)
        keys = [record.pk for record in chosen.sessions]
        count = revoke_sessions(
            OutstandingToken.objects.filter(pk__in=keys),
            reason=BlacklistedToken.Reason.ADMIN,
            by=request.user,  # type: ignore[arg-type]  # who has the permission is a user
            note=note,
        )
        log(request, chosen.sessions, note)
        report(request, chosen, count)
        return HttpResponseRedirect(self._back(form.cleaned_data["next"]))

    def end_one_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End one session. Only POST is allowed."""
        if not self.has_end_permission(request) or request.method != "POST":
            raise PermissionDenied
        record = OutstandingToken.objects.select_related("user").filter(pk=pk).first()
        if record is not None and not may_end_sessions_of(record.user, request.user):
            raise PermissionDenied
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


def report(request: HttpRequest, chosen: Chosen, count: int) -> None:
    """Tell the sender how many sessions of whom were ended, and which were not."""
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
