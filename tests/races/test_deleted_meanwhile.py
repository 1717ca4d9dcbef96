"""Sessions that are deleted at the moment at which they are to be ended."""

import threading

import pytest
from django.db import connection, connections, transaction

from tests.devices import Device
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.revocation import revoke_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_signing_out_everywhere_ends_the_others_where_one_is_deleted_meanwhile(user):
    devices = [Device(user) for _ in range(3)]
    for device in devices:
        assert device.log_in().status_code == 200
    first = OutstandingToken.objects.order_by("pk").first()
    deleting, asked = threading.Event(), threading.Event()

    def delete():
        with transaction.atomic():
            OutstandingToken.objects.filter(pk=first.pk).delete()
            deleting.set()
            # PostgreSQL shows by its locks that the other waits; SQLite lets it wait before.
            asked.wait(1 if connection.vendor == "postgresql" else 0.2)
        connections.close_all()

    thread = threading.Thread(target=delete)
    thread.start()
    deleting.wait()

    ended = revoke_user(user, reason=BlacklistedToken.Reason.LOGOUT_ALL)
    thread.join()

    assert ended == 2
    assert [device.me().status_code for device in devices] == [401, 401, 401]
