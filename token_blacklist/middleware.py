"""Django sessions as rows of the list, so that pages and the admin end as tokens do.

With `AuthenticationMiddleware` in the place of Django's, each sign-in by Django's `login()` opens
a row, whose id is kept in the Django session. A request whose row is no longer live is anonymous,
and its Django session is flushed; so is a Django session without a row, from before the middleware.

With PAGES_SET_REFRESH_COOKIE, the browser also gets the refresh cookie of that row, so that its
pages and its scripts have one session, which ends for both.
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
from django.db import router
from django.utils import timezone
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
from .tokens import RefreshToken
from .users import may_use_tokens

ROW = "_token_blacklist"
"""The key in the Django session: the `sid` of the row, when it was opened and last prolonged."""

PROLONGED_EVERY = timedelta(hours=1)


@dataclass
class _Visit:
    """What a request did to rows, each with its Django session.

    A view can put another Django session in the place of `request.session` and back, as
    django-allauth does for apps, so the response does not rely on it.
    """

    left_row: dict[str, Any] | None = None
    proven: tuple[Any, str | None] | None = None  # with the hash
    opened: tuple[Any, OutstandingToken] | None = None
    ended: Any = None  # the Django session alone


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Sets `request.user` and `request.auser`, if the row of the Django session is live.

    As with Django's, a request that asks for neither costs no query. One that does costs the
    Django session and one SELECT, and once an hour prolongs both. If the app is not in
    INSTALLED_APPS, this is Django's middleware.
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
        """End the row that the view left behind, and renew the row of a user with a new hash.

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
    """Open a row for a sign-in, in place of the one of the Django session. For `user_logged_in`.

    A user who may not use tokens, or who has changed since the password was checked, is signed out.
    """
    session = getattr(request, "session", None)
    if not is_installed() or session is None:
        return
    if not _names(session, user):
        return  # a sign-in without a Django session, such as one that returns a token
    _leave_row(request, session)
    now = timezone.now()
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
    """End the row of a Django session. For `user_logged_out`."""
    session = getattr(request, "session", None)
    if session is not None and conf.LISTS_ENABLED:
        _leave_row(request, session)


def renew(request: Any) -> None:
    """Open a new row for the request's Django session, if that has a user and its row has ended.

    For code that changes a password, after `update_session_auth_hash()`. For the Django session
    that the request came with, the middleware does it with the response.
    """
    row = request.session.get(ROW)
    if not (row and OutstandingToken.objects.live().filter(session_id=row["sid"]).exists()):
        _open_again(request)


def rebind(request: Any, user: Any, token: RefreshToken, *, replaced: str | None) -> None:
    """Bind the request's Django session to the session of `token`, if it belongs to `replaced`.

    For code that ends the session with the id `replaced` and opens another for the same user, who
    may have a new password.
    """
    if not _belongs_to(request, replaced):
        return
    session, hash_ = request.session, user.get_session_auth_hash()
    session.cycle_key()
    session[auth.HASH_SESSION_KEY] = hash_
    _keep(session, token.session_id, token.signed_in_at.timestamp(), token.current_time)
    _visit_of(request).proven = session, hash_


def remembers(request: Any, session_id: str | None) -> bool:
    """Return whether a session that replaces the one with this id is to be remembered.

    Not if it has a Django session, that of the request, which ends with the browser.
    """
    return not _belongs_to(request, session_id) or _is_remembered(request.session)


def take_token(request: Any) -> RefreshToken | None:
    """Return the refresh token of the row that this request opened, once; or None.

    For views that return it themselves. Its cookie is not set then.
    """
    visit = _visit_of(request)
    opened, visit.opened = visit.opened, None
    return _token_of(*opened) if opened else None


def refresh_token_of(request: Any) -> RefreshToken | None:
    """Return a refresh token for the row of the Django session, if it is live; or None.

    For a browser that has lost its refresh cookie. One SELECT, from the database that is written
    to. Soon after a refresh it is the token before, so that the answer to that is repeated: of two
    refreshes at once, the browser could otherwise keep the cookie of the first.
    """
    session, now = request.session, timezone.now()
    rows = OutstandingToken.objects.using(router.db_for_write(OutstandingToken)).live(now)
    row = rows.select_related("user").filter(session_id=session_id_of(request)).first()
    user = row and row.user
    if row is None or user is None:
        return None
    if not (_names(session, user) and may_use_tokens(user) and _is_of(session, user)):
        return None
    since = now - conf.ROTATION_GRACE_PERIOD / 2  # the refresh that follows must be in time
    was_refreshed = row.refreshed_at is not None and row.refreshed_at > since
    generation = max(row.generation - was_refreshed, 0)
    return RefreshToken.of_session(row, generation=generation, remember=_is_remembered(session))


def session_id_of(request: Any) -> str | None:
    """Return the `sid` of the row that the request's Django session belongs to, if it has one."""
    row = request.session.get(ROW)
    return row["sid"] if row else None


def shares_row(request: Any) -> bool:
    """Return whether a Django session comes with the request that has a row to be refreshed."""
    is_shared = conf.PAGES_SET_REFRESH_COOKIE and is_installed() and hasattr(request, "session")
    return is_shared and session_id_of(request) is not None


def is_installed() -> bool:
    """Return whether sign-ins open rows: the middleware is in MIDDLEWARE, and there are lists."""
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
    row, user, is_live = session.get(ROW), None, False
    visit = _visit_of(request)
    if row is not None:
        key = auth.get_user_model()._meta.pk.to_python(session[auth.SESSION_KEY])
        now = timezone.now()
        user, is_live = find_user_of_session(key, row["sid"], now=now, by_key=True)
    if not is_live or not (may_use_tokens(user) and _is_of(session, user)):
        session.pop(ROW, None)
        session.flush()
        if row is not None:
            visit.ended = session
        if is_live:  # of a user who may no longer sign in, or had another password
            _end(row["sid"], BlacklistedToken.Reason.API)
        return None
    visit.proven = session, session[auth.HASH_SESSION_KEY]
    if _is_due(session, row, now):
        prolong(row["sid"], now=now, expires_at=_expiry(session, _time(row["opened"]), now))
        _keep(session, row["sid"], row["opened"], now)
    return user


def _is_due(session: Any, row: dict[str, Any], now: datetime) -> bool:
    """Return whether to prolong a row: once an hour, or more often if it expires so soon.

    Not if it would not expire later than the last time.
    """
    opened, prolonged = _time(row["opened"]), _time(row["prolonged"])
    before = _expiry(session, opened, prolonged)
    every = min(PROLONGED_EVERY, (before - prolonged) / 2)
    return now - prolonged >= every and _expiry(session, opened, now) > before


def _visit_of(request: Any) -> _Visit:
    """Return the visit of a request, or of the Django request in one of DRF.

    One that did not pass through the middleware, such as a test client's, has none to be kept.
    """
    visit: _Visit | None = getattr(request, "_visit", None)
    return visit or _Visit()


def _belongs_to(request: Any, session_id: str | None) -> bool:
    return session_id is not None and is_installed() and session_id_of(request) == session_id


def _leave_row(request: Any, session: Any) -> None:
    if row := session.pop(ROW, None):
        _end(row["sid"], BlacklistedToken.Reason.LOGOUT)
        _visit_of(request).ended = session


def _write_cookie(request: Any, response: Any) -> None:
    """Set the refresh cookie of the row that the request opened, or delete that of one that ended.

    Only for the Django session of the browser. Not with an error, after which it is not saved.
    """
    visit = _visit_of(request)
    opened_in, row = visit.opened or (None, None)
    session = request.session
    if row is not None and opened_in is session and session_id_of(request) == row.session_id:
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            set_refresh_cookie(response, str(_token_of(session, row)))
            patch_cache_control(response, no_store=True)
    elif visit.ended is session:
        delete_refresh_cookie(response)


def _token_of(session: Any, row: OutstandingToken) -> RefreshToken:
    """Return the first token of a row that was opened for this Django session.

    The view may have decided after the sign-in whether the Django session ends with the browser.
    Then the row's expiry is corrected: one UPDATE.
    """
    opened_at: Any = row.created_at
    expires_at = _expiry(session, opened_at, opened_at)
    if conf.PAGES_SET_REFRESH_COOKIE and expires_at != row.expires_at:
        OutstandingToken.objects.filter(session_id=row.session_id).update(expires_at=expires_at)
        row.expires_at = expires_at
    return RefreshToken.of_session(row, remember=_is_remembered(session))


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
    if type(backend).get_user is ModelBackend.get_user:  # it would load the user again
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
    """Remember the row of a Django session that is cleared.

    `login()` flushes the session of another user before it sends a signal, and a site may flush
    one by itself.
    """
    session, clear = request.session, request.session.clear

    def clear_and_remember() -> None:
        # One that was not loaded is not loaded for this.
        if session.accessed and (row := session.get(ROW)):
            request._visit.left_row, request._visit.ended = row, session
        clear()

    session.clear = clear_and_remember


def _open_again(request: Any) -> None:
    """Open a new row for a Django session that went on through a change of its user's password.

    `update_session_auth_hash()` keeps that session, and the change may have ended all rows.
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
    """Return when the row expires: with the Django session, and at most after SESSION_LIFETIME.

    With PAGES_SET_REFRESH_COOKIE as after a refresh, in whole seconds as in a token.
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
    session[ROW] = {"sid": sid, "opened": opened, "prolonged": now.timestamp()}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _end(sid: str, reason: str) -> None:
    """End a row, if it is live. One SELECT and one INSERT."""
    row = OutstandingToken.objects.live().select_related("user").filter(session_id=sid).first()
    if row is not None:
        by = row.user if reason == BlacklistedToken.Reason.LOGOUT else None
        revoke_session(row, reason=reason, by=by)
