"""Django sessions as rows of the list, so that pages and the admin end as tokens do.

With `AuthenticationMiddleware` in the place of Django's, each sign-in by Django's `login()` opens
a row, whose id is kept in the Django session. A request whose row is no longer live is anonymous,
and its Django session is flushed; so is a Django session without a row, from before the middleware.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import middleware
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from .clients import client_of
from .conf import conf
from .exceptions import AuthenticationFailed
from .models import BlacklistedToken, OutstandingToken
from .sessions.end import revoke_session
from .sessions.open import open_session
from .sessions.prolong import prolong
from .sessions.prove import find_user_of_session
from .users import may_use_tokens

ROW = "_token_blacklist"
"""The key in the Django session: the `sid` of the row, when it was opened and last prolonged."""

PROLONGED_EVERY = timedelta(hours=1)


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
            if request.session.session_key is not None:
                _watch(request)

    def process_response(self, request: Any, response: Any) -> Any:
        """End the row that the view left behind, and renew the row of a user with a new hash."""
        if left := vars(request).pop("_left_row", None):
            _end(left["sid"], BlacklistedToken.Reason.LOGOUT)
        proven = getattr(request, "_proven_hash", None)
        if proven and request.session.get(auth.HASH_SESSION_KEY, proven) != proven:
            _renew(request)
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
    if session.get(auth.SESSION_KEY) != user._meta.pk.value_to_string(user):
        return  # a sign-in without a Django session, such as one that returns a token
    if row := session.pop(ROW, None):
        _end(row["sid"], BlacklistedToken.Reason.LOGOUT)
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
        request._proven_hash = session.get(auth.HASH_SESSION_KEY)


def end_row(sender: Any, request: Any, **kwargs: Any) -> None:
    """End the row of a Django session. For `user_logged_out`."""
    session = getattr(request, "session", None)
    if session is not None and conf.LISTS_ENABLED and (row := session.pop(ROW, None)):
        _end(row["sid"], BlacklistedToken.Reason.LOGOUT)


def session_id_of(request: Any) -> str | None:
    """Return the `sid` of the row that the request's Django session belongs to, if it has one."""
    row = request.session.get(ROW)
    return row["sid"] if row else None


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
    if row is not None:
        key = auth.get_user_model()._meta.pk.to_python(session[auth.SESSION_KEY])
        now = timezone.now()
        user, is_live = find_user_of_session(key, row["sid"], now=now, by_key=True)
    if not is_live or not (may_use_tokens(user) and _is_of(session, user)):
        session.pop(ROW, None)
        session.flush()
        if is_live:  # of a user who may no longer sign in, or had another password
            _end(row["sid"], BlacklistedToken.Reason.API)
        return None
    request._proven_hash = session[auth.HASH_SESSION_KEY]
    if now - _time(row["prolonged"]) >= PROLONGED_EVERY:
        prolong(row["sid"], now=now, expires_at=_expiry(session, _time(row["opened"]), now))
        _keep(session, row["sid"], row["opened"], now)
    return user


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
            request._left_row = row
        clear()

    session.clear = clear_and_remember


def _renew(request: Any) -> None:
    """Open a new row for a Django session that went on through a change of its user's password.

    `update_session_auth_hash()` keeps that session, and the change may have ended all rows.
    """
    users = auth.get_user_model()._default_manager
    user = users.filter(pk=request.session[auth.SESSION_KEY]).first()
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
    """Return when the row expires: with the Django session, and at most after SESSION_LIFETIME."""
    end = now + timedelta(seconds=session.get_expiry_age())
    return end if conf.SESSION_LIFETIME is None else min(end, opened_at + conf.SESSION_LIFETIME)


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
