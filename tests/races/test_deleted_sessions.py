"""Revoking sessions that are being deleted at the same time."""

import threading

import pytest
from django.db import connection, connections, transaction

from tests.support.devices import Device
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_signing_out_everywhere_during_the_deletion_of_one_session_revokes_the_others(user):
    devices = [Device(user) for _ in range(3)]
    for device in devices:
        assert device.log_in().status_code == 200
    first = OutstandingToken.objects.order_by("pk").first()
    deleting, asked = threading.Event(), threading.Event()

    def delete():
        with transaction.atomic():
            OutstandingToken.objects.filter(pk=first.pk).delete()
            deleting.set()
            # On PostgreSQL the other waits for a row lock; on SQLite, for the write lock.
            asked.wait(1 if connection.vendor == "postgresql" else 0.2)
        connections.close_all()

    thread = threading.Thread(target=delete)
    thread.start()
    deleting.wait()

    ended = revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL)
    thread.join()

    assert ended == 2
    assert [device.me().status_code for device in devices] == [401, 401, 401]


@pytest.mark.parametrize("what", ["the session", "sessions", "its record", "records"])
def test_a_sign_out_during_the_deletion_of_its_session_keeps_the_token_refused(user, what):
    device = Device(user)
    assert device.log_in().status_code == 200
    session = OutstandingToken.objects.get()
    record = BlacklistedToken(token=session, reason=BlacklistedToken.Reason.ADMIN)
    if "record" in what:
        record.save()
    delete = {
        "the session": session.delete,
        "sessions": OutstandingToken.objects.filter(pk=session.pk).delete,
        "its record": record.delete,
        "records": BlacklistedToken.objects.filter(token=session.pk).delete,
    }[what]
    signing_out: list[threading.Thread] = []

    def sign_out():
        device.log_out()
        connections.close_all()

    def between(execute, sql, *rest):
        if sql.startswith(f'DELETE FROM "{OutstandingToken._meta.db_table}"'):
            signing_out.append(threading.Thread(target=sign_out))
            signing_out[0].start()
            signing_out[0].join(0.5)  # until it waits for the lock
        return execute(sql, *rest)

    with connection.execute_wrapper(between):
        assert delete()[1] in (
            {"token_blacklist.OutstandingToken": 1},
            {"token_blacklist.OutstandingToken": 1, "token_blacklist.BlacklistedToken": 1},
        )
    signing_out[0].join()

    # Signing out a deleted session creates both records, so that its token stays refused.
    assert BlacklistedToken.objects.get().token.session_id == session.session_id
    assert device.refresh().status_code == 401
