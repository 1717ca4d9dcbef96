"""A reader of the feed misses no sign-out, for any order of commits."""

import random
import threading
import time

import pytest
from django.db import connection, transaction

from tests.races.conftest import ROUNDS
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.services.revocations import read
from token_blacklist.sessions.end import revoke_sessions
from token_blacklist.tokens import RefreshToken

WRITERS = 6

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class RollBackError(Exception):
    """Raised to roll a transaction back."""


def end_sessions(sids, chance, committed):
    """End each session in a transaction that stays open for a while, some in a savepoint."""
    for sid in sids:
        try:
            with transaction.atomic():
                session = OutstandingToken.objects.filter(session_id=sid)
                if chance.random() < 0.5:
                    with transaction.atomic():
                        revoke_sessions(session, reason="admin")
                else:
                    revoke_sessions(session, reason="admin")
                # SQLite has one writer, which would block all others.
                if connection.vendor == "postgresql":
                    time.sleep(chance.random() / 50)
                if chance.random() < 0.2:
                    raise RollBackError
            committed.add(sid)
        except RollBackError:
            pass
    connection.close()


def test_the_feed_returns_every_committed_sign_out_and_none_rolled_back(user):
    sids = [RefreshToken.for_user(user)["sid"] for _ in range(ROUNDS * WRITERS)]
    committed, told, cursor, answers = set(), set(), "", 0
    threads = [
        threading.Thread(target=end_sessions, args=(sids[n::WRITERS], random.Random(n), committed))
        for n in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found = read(cursor)
        told |= set(found.sessions)
        cursor, answers = found.cursor, answers + 1
    for thread in threads:
        thread.join()
    told |= set(read(cursor).sessions)

    assert told == committed
    assert len(committed) == BlacklistedToken.objects.count() > ROUNDS
    assert answers > ROUNDS
