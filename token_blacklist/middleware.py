"""Middleware that gives each sign-in on a page a row in the list of sessions.

Such sign-ins, including those of the admin, are then listed and revoked like tokens.
`AuthenticationMiddleware` replaces Django's. Each sign-in by Django's `login()` opens a row, whose
id is stored in the Django session. If the row is not live, the request is anonymous and its Django
session is flushed. So is a Django session without a row, from before the middleware was installed.

With PAGES_SET_REFRESH_COOKIE, the browser also gets the refresh cookie of that row, so that its
pages and its scripts share one session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import middleware
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.utils.cache import patch_cache_control
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from .clients import client_of
from .conf import conf
from .exceptions import AuthenticationFailed
from .models import BlacklistedToken, OutstandingToken
from .refresh_cookie import delete_refresh_cookie, set_refresh_cookie
from .sessions.end import revoke_session
from .sessions.open import open_session, prolong
from .sessions.prove import find_user_of_session
from .tokens import AUTH_TIME_CLAIM, RefreshToken
from .users import may_use_tokens
from .utils import as_utc, aware, aware_now

ROW_KEY = "_token_blacklist"
"""Where the Django session has the row's `sid`, and when it was opened and last prolonged.

After `reauthenticated`, also when the user was `proven` last.
"""

PROLONG_INTERVAL = timedelta(hours=1)


@dataclass
class _Visit:
    """The rows that a request opened, used or ended, each with its Django session.

    The Django sessions are stored because a view can replace `request.session` for a while, as
    django-allauth does for apps.
    """

    left_row: dict[str, Any] | None = None
    proven: tuple[Any, str | None] | None = None  # with the hash
    opened: tuple[Any, OutstandingToken] | None = None
    renewed: tuple[Any, RefreshToken] | None = None  # with a new `auth_time`
    ended: Any = None  # the Django session alone


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Sets `request.user` and `request.auser`, if the row of the Django session is live.

    As in Django, a request that uses neither costs no query. One that does loads the Django
    session, sends one SELECT, and once an hour prolongs the Django session and the row. If the app
    is not in INSTALLED_APPS, this does what Django's middleware does.
    """

    def process_request(self, request: Any) -> None:
        super().process_request(request)
        if conf.LISTS_ENABLED:
            request.user = SimpleLazyObject(lambda: get_user(request))
            request.auser = partial(_get_user_in_a_thread, request)
            request._visit = _Visit()
            if request.session.session_key is not None:
                _watch(request)

    def process_response(self, request: Any, response: Any) -> Any:
        """End the row of a session that the view cleared; open one if the password hash changed.

        With PAGES_SET_REFRESH_COOKIE, also set or delete the refresh cookie.
        """
        visit = _visit_of(request)
        if visit.left_row:
            _end(visit.left_row["sid"], BlacklistedToken.Reason.LOGOUT)
        session, proven = visit.proven or (None, None)
        is_own = proven and session is request.session
        if is_own and request.session.get(auth.HASH_SESSION_KEY, proven) != proven:
            _open_again(request)
        if conf.PAGES_SET_REFRESH_COOKIE and conf.REFRESH_COOKIE_NAME not in response.cookies:
            _write_cookie(request, response)
        return response


def get_user(request: Any) -> Any:
    """Return the user of the request's Django session, or an AnonymousUser."""
    if not hasattr(request, "_cached_user"):
        request._cached_user = _find_user(request) or AnonymousUser()
    return request._cached_user


async def _get_user_in_a_thread(request: Any) -> Any:
    return await sync_to_async(get_user)(request)


def open_row(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    """Open a row for a sign-in, and end the previous row of the Django session.

    The receiver of `user_logged_in`.

    A user who may not use tokens, or who has changed since the password was checked, is signed out.
    """
    session = getattr(request, "session", None)
    if not is_installed() or session is None:
        return
    if not _names(session, user):
        return  # a sign-in without a Django session, such as one that returns a token
    _leave_row(request, session)
    now = aware_now()
    opened = _row_for(request, user, now)
    try:
        if not may_use_tokens(user):
            raise AuthenticationFailed
        open_session(opened)
    except AuthenticationFailed:
        session.flush()
        request.user = AnonymousUser()
    else:
        _keep(session, opened.session_id, now.timestamp(), now)
        visit = _visit_of(request)
        visit.proven = session, session.get(auth.HASH_SESSION_KEY)
        visit.opened = session, opened


def end_row(sender: Any, request: Any, **kwargs: Any) -> None:
    """End the row of a Django session. The receiver of `user_logged_out`."""
    session = getattr(request, "session", None)
    if session is not None and conf.LISTS_ENABLED:
        _leave_row(request, session)


def renew(request: Any) -> None:
    """Open a new row for the request's Django session, if that has a user and its row has ended.

    For code that changes a password, after `update_session_auth_hash()`. Not needed for the Django
    session that the request came with: the middleware does it with the response.
    """
    row = request.session.get(ROW_KEY)
    if not (
        row and OutstandingToken.objects.for_write().live().filter(session_id=row["sid"]).exists()
    ):
        _open_again(request)


def reauthenticated(request: Any) -> None:
    """Give the browser or app a refresh token whose `auth_time` is now. One SELECT.

    For code that has just verified once more that the user of the Django session is its owner. The
    row stays, so no tab or request of the session is signed out. Its other tokens keep their
    `auth_time`: a thief who has one gains nothing.
    """
    row = _live_row(request, aware_now()) if conf.LISTS_ENABLED else None
    if row is None:
        return
    session = request.session
    session[ROW_KEY] = {**session[ROW_KEY], "proven": aware_now().timestamp()}
    _visit_of(request).renewed = session, _new_token(request, session, row)


def rebind(request: Any, user: Any, token: RefreshToken, *, replaced: str | None) -> None:
    """Give the request's Django session the row of `token`, if it has the row `replaced`.

    For code that ends the session with the id `replaced` and opens another one for the same user,
    who may have a new password.
    """
    if not _belongs_to(request, replaced):
        return
    session, hash_ = request.session, user.get_session_auth_hash()
    session.cycle_key()
    session[auth.HASH_SESSION_KEY] = hash_
    _keep(session, token.session_id, token.signed_in_at.timestamp(), as_utc(token.current_time))
    _visit_of(request).proven = session, hash_


def remembers(request: Any, session_id: str | None) -> bool:
    """Return whether a session that replaces the one with this id is to be remembered.

    It is not if the old one has the request's Django session, and that ends with the browser.
    """
    return not _belongs_to(request, session_id) or _is_remembered(request.session)


def take_token(request: Any) -> RefreshToken | None:
    """Return the refresh token of the row that this request opened, or None. Works once.

    Also the one from `reauthenticated`. For views that return the token themselves. The refresh
    cookie is then not set.
    """
    visit = _visit_of(request)
    opened, visit.opened = visit.opened, None
    renewed, visit.renewed = visit.renewed, None
    if opened is not None:
        return _first_token(request, *opened)
    return renewed and renewed[1]


def refresh_token_of(request: Any) -> RefreshToken | None:
    """Return a refresh token for the row of the Django session, if it is live; or None.

    For a browser that has lost its refresh cookie. One SELECT, on the database for writes. Soon
    after a refresh it is the previous token, so that both refreshes return the same next token:
    the browser may keep the cookie of either response.
    """
    now = aware_now()
    row = _live_row(request, now)
    if row is None:
        return None
    since = (
        now - conf.ROTATION_GRACE_PERIOD / 2
    )  # the refresh that follows must be within the grace period
    was_refreshed = row.refreshed_at is not None and aware(row.refreshed_at) > since
    generation = max(row.generation - was_refreshed, 0)
    return _new_token(request, request.session, row, generation)


def session_id_of(request: Any) -> str | None:
    """Return the `sid` of the row that the request's Django session belongs to, if it has one."""
    row = request.session.get(ROW_KEY)
    return row["sid"] if row else None


def shares_row(request: Any) -> bool:
    """Return whether the request has a Django session whose row can be refreshed."""
    is_shared = conf.PAGES_SET_REFRESH_COOKIE and is_installed() and hasattr(request, "session")
    return is_shared and session_id_of(request) is not None


def is_installed() -> bool:
    """Return whether sign-ins on pages open rows: this is in MIDDLEWARE and the lists exist."""
    return conf.LISTS_ENABLED and _is_among(tuple(settings.MIDDLEWARE))


@cache
def _is_among(paths: tuple[str, ...]) -> bool:
    return any(
        isinstance(each, type) and issubclass(each, AuthenticationMiddleware)
        for each in map(import_string, paths)
    )


def _find_user(request: Any) -> Any:
    session = request.session
    if auth.SESSION_KEY not in session:
        return None
    row, user, is_live = session.get(ROW_KEY), None, False
    visit = _visit_of(request)
    if row is not None:
        key = auth.get_user_model()._meta.pk.to_python(session[auth.SESSION_KEY])
        now = aware_now()
        user, is_live = find_user_of_session(key, row["sid"], now=now, by_key=True)
    if not is_live or not (may_use_tokens(user) and _is_of(session, user)):
        session.pop(ROW_KEY, None)
        session.flush()
        if row is not None:
            visit.ended = session
        if is_live:  # the user may no longer sign in, or has a new password
            _end(row["sid"], BlacklistedToken.Reason.API)
        return None
    visit.proven = session, session[auth.HASH_SESSION_KEY]
    if _is_due(session, row, now):
        prolong(row["sid"], now=now, expires_at=_expiry(session, _datetime(row["opened"]), now))
        session[ROW_KEY] = {**row, "prolonged": now.timestamp()}
    return user


def _is_due(session: Any, row: dict[str, Any], now: datetime) -> bool:
    """Return whether to prolong a row: once an hour, or more often if it expires sooner.

    Not if its expiry would stay the same.
    """
    opened, prolonged = _datetime(row["opened"]), _datetime(row["prolonged"])
    before = _expiry(session, opened, prolonged)
    every = min(PROLONG_INTERVAL, (before - prolonged) / 2)
    return now - prolonged >= every and _expiry(session, opened, now) > before


def _visit_of(request: Any) -> _Visit:
    """Return the `_Visit` of a request, of Django or of DRF.

    If it did not pass through the middleware, as in some tests, return an empty one.
    """
    visit: _Visit | None = getattr(request, "_visit", None)
    return visit or _Visit()


def _belongs_to(request: Any, session_id: str | None) -> bool:
    return session_id is not None and is_installed() and session_id_of(request) == session_id


def _leave_row(request: Any, session: Any) -> None:
    if row := session.pop(ROW_KEY, None):
        _end(row["sid"], BlacklistedToken.Reason.LOGOUT)
        _visit_of(request).ended = session


def _write_cookie(request: Any, response: Any) -> None:
    """Set the refresh cookie if the request opened a row, or delete it if it ended one.

    Only for the browser's own Django session. Not with a 5xx, after which Django does not save it.
    """
    visit = _visit_of(request)
    new_in, new = visit.opened or visit.renewed or (None, None)
    session = request.session
    if new is not None and new_in is session and session_id_of(request) == new.session_id:
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            set_refresh_cookie(response, str(take_token(request)))
            patch_cache_control(response, no_store=True)
    elif visit.ended is session:
        delete_refresh_cookie(response)


def _live_row(request: Any, now: datetime) -> OutstandingToken | None:
    """Return the live row of the Django session, with its user, if that may use it. One SELECT."""
    session = request.session
    rows = OutstandingToken.objects.for_write().live(now)
    row = rows.select_related("user").filter(session_id=session_id_of(request)).first()
    user = row and row.user
    if user is None or not (_names(session, user) and may_use_tokens(user)):
        return None
    return row if _is_of(session, user) else None


def _first_token(request: Any, session: Any, row: OutstandingToken) -> RefreshToken:
    """Return the first token of a row that was opened for this Django session.

    If the view has called `set_expiry()` after the sign-in, the expiry of the row is corrected with
    one UPDATE.
    """
    opened_at: Any = row.created_at
    expires_at = _expiry(session, opened_at, opened_at)
    if conf.PAGES_SET_REFRESH_COOKIE and expires_at != row.expires_at:
        OutstandingToken.objects.filter(session_id=row.session_id).update(expires_at=expires_at)
        row.expires_at = expires_at
    return _new_token(request, session, row)


def _new_token(
    request: Any, session: Any, row: OutstandingToken, generation: int | None = None
) -> RefreshToken:
    """Return a token of a Django session's row, with SESSION_CLAIMS. No query."""
    token = RefreshToken.of_session(row, generation=generation, remember=_is_remembered(session))
    token.add_session_claims(request)
    if proven := session.get(ROW_KEY, {}).get("proven"):
        token[AUTH_TIME_CLAIM] = int(proven)
    return token


def _is_remembered(session: Any) -> bool:
    return not (conf.PAGES_SET_REFRESH_COOKIE and session.get_expire_at_browser_close())


def _names(session: Any, user: Any) -> bool:
    return bool(session.get(auth.SESSION_KEY) == user._meta.pk.value_to_string(user))


def _is_of(session: Any, user: Any) -> bool:
    """Return whether the session's backend and hash accept the user, as in Django's get_user()."""
    path = session.get(auth.BACKEND_SESSION_KEY)
    if path not in settings.AUTHENTICATION_BACKENDS:
        return False
    backend: Any = auth.load_backend(path)
    if type(backend).get_user is ModelBackend.get_user:  # its get_user() would load the user again
        return backend.user_can_authenticate(user) and _has_hash_of(session, user)
    return backend.get_user(user.pk) == user and _has_hash_of(session, user)


def _has_hash_of(session: Any, user: Any) -> bool:
    kept = session.get(auth.HASH_SESSION_KEY)
    if not kept:
        return False
    current = user.get_session_auth_hash()
    if constant_time_compare(kept, current):
        return True
    former = user.get_session_auth_fallback_hash()  # of SECRET_KEY_FALLBACKS
    if not any(constant_time_compare(kept, each) for each in former):
        return False
    session.cycle_key()
    session[auth.HASH_SESSION_KEY] = current
    return True


def _watch(request: Any) -> None:
    """Make `clear()` of the Django session store the row that it removes, so that it is ended.

    `login()` flushes the session of another user before its signal, and a site may call `flush()`.
    """
    session, clear = request.session, request.session.clear

    def clear_and_remember() -> None:
        # A session that was not loaded is not loaded for this.
        if session.accessed and (row := session.get(ROW_KEY)):
            request._visit.left_row, request._visit.ended = row, session
        clear()

    session.clear = clear_and_remember


def _open_again(request: Any) -> None:
    """Open a new row for a Django session that a password change has kept.

    `update_session_auth_hash()` keeps the Django session, but the change may have ended all rows.
    """
    key = request.session.get(auth.SESSION_KEY)
    users = auth.get_user_model()._default_manager
    user = None if key is None else users.filter(pk=key).first()
    if user is not None and _has_hash_of(request.session, user):
        open_row(None, request, user)


def _row_for(request: Any, user: Any, now: datetime) -> OutstandingToken:
    client = client_of(request)
    return OutstandingToken(
        user=user,
        session_id=uuid4().hex,
        created_at=now,
        expires_at=_expiry(request.session, now, now),
        ip_address=client.ip_address,
        user_agent=client.user_agent,
    )


def _expiry(session: Any, opened_at: datetime, now: datetime) -> datetime:
    """Return when the row expires: with the Django session, limited by SESSION_LIFETIME.

    With PAGES_SET_REFRESH_COOKIE, as after a refresh, in whole seconds like the `exp` of a token.
    """
    if not conf.PAGES_SET_REFRESH_COOKIE:
        end = now + timedelta(seconds=session.get_expiry_age())
        return end if conf.SESSION_LIFETIME is None else min(end, opened_at + conf.SESSION_LIFETIME)
    longest = conf.longest_lifetime(remember=_is_remembered(session))
    end = now + conf.REFRESH_TOKEN_LIFETIME
    if longest is not None:
        end = min(end, opened_at + longest)
    return end.replace(microsecond=0)


def _keep(session: Any, sid: str, opened: float, now: datetime) -> None:
    session[ROW_KEY] = {"sid": sid, "opened": opened, "prolonged": now.timestamp()}


def _datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _end(sid: str, reason: str) -> None:
    """End a row, if it is live. One SELECT and one INSERT."""
    rows = OutstandingToken.objects.for_write().live()
    row = rows.select_related("user").filter(session_id=sid).first()
    if row is not None:
        by = row.user if reason == BlacklistedToken.Reason.LOGOUT else None
        revoke_session(row, reason=reason, by=by)
