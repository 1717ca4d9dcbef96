"""Search the lists by user, IP address, device, session id or token.

Each search uses an index or reads a limited number of rows, never the whole list.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import CharField, Q, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext_lazy as _

from ..clients import normal_address
from ..conf import conf
from ..exceptions import TokenError
from ..models import OutstandingToken, session_ids
from ..tokens import SESSION_CLAIM, UntypedToken
from ..users import is_login

# A JWT or a part of one. Header and claims begin with "eyJ", the base64 of `{"`. The minimum length
# excludes names that begin with these letters.
TOKEN = re.compile(r"eyJ[\w-]{17,}(?:\.[\w-]*){0,2}", re.ASCII)
WHOLE_TOKEN = re.compile(r"eyJ[\w-]{17,}\.[\w-]+\.[\w-]+", re.ASCII)
MAX_USERS = 50  # whose name starts with the term
START_OF_ADDRESS = re.compile(r"(?:\d{1,3}\.){1,3}", re.ASCII)
NO_SESSION = "-"
MAX_SESSIONS_SEARCHED = 10_000  # for a device, which has no index


def session_in(term: str) -> str | None:
    """Return the session id in the first token of the term, or None if it has no token.

    A token may be in quotes, JSON or a header, and wrapped into lines. The signature is not
    verified, so that tokens of replaced keys are found.
    """
    unwrapped = "".join(term.split())
    found = [*TOKEN.findall(term), *WHOLE_TOKEN.findall(unwrapped)]
    sessions = filter(None, map(_session_of, found))
    return next(sessions, NO_SESSION) if found else None


def _session_of(encoded: str) -> str | None:
    """Return the session id in a token, or None if it has no valid one."""
    try:
        token = UntypedToken(encoded, verify=False)
    except TokenError:
        return None
    session = token.get(SESSION_CLAIM) or token.get(conf.JTI_CLAIM)
    is_id = isinstance(session, str) and session.isprintable() and not TOKEN.search(session)
    return session if is_id else None


def sessions_for(term: str, *, prefix: str = "") -> Q:
    """Return the condition for a search term: a user, an IP address, a session or a device.

    A device may follow an e-mail address or an IP address: "ada@example.com iPhone".
    `prefix` is the path from the searched model to OutstandingToken, such as `token__`.
    """
    found = _found(term.strip())
    return Q(**{f"{prefix}{name}": value for name, value in found.items()})


def _found(term: str) -> dict[str, Any]:
    if session := session_in(term):
        return {"session_id": session}
    if not term.isprintable():
        return {"pk": None}
    who, _space, device = term.partition(" ")
    if owner := _owner(who):
        return (_on(device, owner) or {"pk": None}) if device else owner
    ids = session_ids(term)
    if OutstandingToken.objects.filter(session_id__in=ids).exists():
        return {"session_id__in": ids}
    return _on(term, {}) or {"user__in": _users(term)}


def _owner(term: str) -> dict[str, Any]:
    """Return the condition for an IP address, a network or an e-mail address, or {}."""
    try:
        return {"ip_address": normal_address(term)}
    except ValueError:
        if network := _network(term):
            return _inside(network)
        return {"user__in": _users(term)} if "@" in term else {}


def _network(term: str) -> IPv4Network | IPv6Network | None:
    """Return the network `203.0.113.0/24`, which may be written as `203.0.113.`, or None."""
    if START_OF_ADDRESS.fullmatch(term):
        octets = term.count(".")
        term = f"{term}{'.'.join('0' * (4 - octets))}/{8 * octets}"
    try:
        return ip_network(term, strict=False) if "/" in term else None
    except ValueError:
        return None


def _inside(network: IPv4Network | IPv6Network) -> dict[str, Any]:
    first, last = str(network[0]), str(network[-1])
    sessions = OutstandingToken.objects
    if connections[sessions.db].vendor == "postgresql":
        return {"ip_address__gte": first, "ip_address__lte": last}  # a range of the index
    # SQLite compares addresses as texts.
    newest = sessions.exclude(ip_address=None).order_by("-pk")[:MAX_SESSIONS_SEARCHED]
    known = {*newest.values_list("ip_address", flat=True)}
    return {"ip_address__in": [each for each in known if ip_address(str(each)) in network]}


def _on(device: str, owner: dict[str, Any]) -> dict[str, Any]:
    """Return the condition for the owner's newest sessions on a device; {} if there are none.

    The device's name, or else the user agent, must have all words, in any order and case.
    """
    newest = OutstandingToken.objects.filter(**owner).order_by("-pk")
    rows = list(newest.values_list("pk", "user_agent")[:MAX_SESSIONS_SEARCHED])
    agents = {agent for _pk, agent in rows}
    wanted = _words(device)
    found = {agent for agent in agents if wanted <= _words(conf.DEVICE_NAME(agent))} or {
        agent for agent in agents if wanted <= _words(agent)
    }
    if not wanted or not found:
        return {}
    return {**owner, "pk__gte": rows[-1][0], "user_agent__in": found}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _users(start: str) -> list[Any]:
    """Return the keys of the users that a term finds.

    If the manager of the user model has a method `search`, it decides which. Otherwise the term is
    the start of a name.
    """
    users = get_user_model()
    if search := getattr(users._default_manager, "search", None):
        return list(search(start).values_list("pk", flat=True)[:MAX_USERS])
    name = users.USERNAME_FIELD
    if not isinstance(users._meta.get_field(name), CharField | TextField):  # such as a number
        found = users._default_manager.filter(**{name: start} if is_login(start) else {"pk": None})
        return list(found.values_list("pk", flat=True)[:MAX_USERS])
    for spelling in dict.fromkeys((start, start.lower())):
        # With the greater-than, the index scan starts at the first match.
        named = {f"{name}__startswith": spelling, f"{name}__gte": spelling}
        found = users._default_manager.filter(**named).order_by(name)
        if ids := list(found.values_list("pk", flat=True)[:MAX_USERS]):
            return ids
    return []


def without_token(query: QueryDict) -> QueryDict:
    """Return the query of a list with a token in its search replaced by the session id."""
    if session := session_in(query.get("q", "")):
        query = query.copy()
        query["q"] = session
    return query


class WithoutTokensMixin:
    """Replaces a pasted token by its session id, so that no page or URL contains the token."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        query = without_token(request.GET)
        if query is not request.GET:
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        return super().changelist_view(request, extra_context)  # type: ignore[misc,no-any-return]


class SearchMixin(WithoutTokensMixin):
    """Searches a list with `sessions_for`."""

    search_path = ""
    # Below the field. Django-unfold shows `search_help_text` in the field and cuts it off.
    search_note: Any = _("A user, an IP address or network, a device, a session ID or a token")
    # Shown if nothing was found.
    search_more: Any = _(
        "Examples: “ada@example.com”, “203.0.113.0/24”, “iPhone”, “ada@example.com iPhone”, a "
        "session ID (the claim sid), a whole token. A device is searched among the 10,000 newest "
        "sessions. The jti of an access token is not stored: use its sid."
    )
    # Django shows a search box only if this is set.
    search_fields: Any = ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if search_term.strip():
            queryset = queryset.filter(sessions_for(search_term, prefix=self.search_path))
        return queryset, False
