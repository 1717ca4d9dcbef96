"""What a support person types or pastes, and the sessions that it means.

Each kind of term has an index to be looked up by; none of them reads the whole list.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from ..conf import conf
from ..exceptions import TokenError
from ..models import session_ids
from ..tokens import SESSION_CLAIM, UntypedToken

A_TOKEN = re.compile(r"\s*(?:Bearer\s+)?(?P<token>[\w-]+\.[\w-]+\.[\w-]*)\s*", re.ASCII)
PEOPLE = 50  # whose address begins as was typed
NO_SESSION = "-"


def session_in(term: str) -> str | None:
    """Return the session id in a token, or None where it is none. Its signature is not asked for.

    Whoever pastes a token wants to know whose it is, also when its key has been replaced.
    """
    if (found := A_TOKEN.fullmatch(term)) is None:
        return None
    try:
        token = UntypedToken(found["token"], verify=False)
    except TokenError:
        return NO_SESSION
    session = token.get(SESSION_CLAIM) or token.get(conf.JTI_CLAIM)
    return session if isinstance(session, str) and session else NO_SESSION


def sessions_for(term: str, *, prefix: str = "") -> Q:
    """Return the condition for what was typed: an address, a jti, an IP address or a token.

    `prefix` is the path from the searched model to OutstandingToken, as `token__`.
    """
    term = term.strip()
    if not term.isprintable():
        return Q(pk=None)
    if session := session_in(term):
        return Q(**{f"{prefix}session_id": session})
    try:
        return Q(**{f"{prefix}ip_address": str(ip_address(term))})
    except ValueError:
        pass
    if people := _people(term):
        return Q(**{f"{prefix}user__in": people})
    return Q(**{f"{prefix}session_id__in": session_ids(term)})


def _people(start: str) -> list[Any]:
    users = get_user_model()
    name = users.USERNAME_FIELD
    for spelling in dict.fromkeys((start, start.lower())):
        # The greater-than lets the index of the order begin where they begin.
        named = {f"{name}__startswith": spelling, f"{name}__gte": spelling}
        found = users._default_manager.filter(**named).order_by(name)
        if ids := list(found.values_list("pk", flat=True)[:PEOPLE]):
            return ids
    return []


class SearchMixin:
    """Searches a list by `sessions_for`. A pasted token never comes back in a page or address."""

    search_path = ""
    search_help_text: Any = _("E-mail address, IP address, session id or jti, or a whole token.")
    # Not used, but without it there is no search box.
    search_fields: Any = ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if search_term.strip():
            queryset = queryset.filter(sessions_for(search_term, prefix=self.search_path))
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if session := session_in(request.GET.get("q", "")):
            query = request.GET.copy()
            query["q"] = session
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        return super().changelist_view(request, extra_context)  # type: ignore[misc,no-any-return]
