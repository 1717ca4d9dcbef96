"""Filling and emptying the long lists of the benchmark."""

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
def test_emptying_the_lists_leaves_no_blacklist_record_for_reused_ids():
    BlacklistedTokenFactory()

    lists.empty(ThisDatabase(), OURS)

    assert not OutstandingToken.objects.exists()
    assert not BlacklistedToken.objects.exists()
