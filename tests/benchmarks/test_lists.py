"""The benchmark's long lists."""

from __future__ import annotations

import pytest
from django.db import connection

from benchmarks import lists
from benchmarks.sites import OURS
from tests.support.factories import BlacklistedTokenFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken


class ThisDatabase:
    def run(self, database, *statements):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_emptied_lists_leave_no_blacklist_record_to_the_ids_that_begin_again():
    BlacklistedTokenFactory()

    lists.empty(ThisDatabase(), OURS)

    assert not OutstandingToken.objects.exists()
    assert not BlacklistedToken.objects.exists()
