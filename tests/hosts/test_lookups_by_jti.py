"""Querysets of a site that look for a jti, in any of Django's ways."""

import pytest
from django.db.models import Q
from django.shortcuts import get_object_or_404

from tests.support.factories import BlacklistedTokenFactory, OutstandingTokenFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(db):
    return OutstandingTokenFactory(session_id="first", generation=3)


@pytest.fixture
def second(db):
    return OutstandingTokenFactory(session_id="second")


JTI = ["first", "first.1"]


@pytest.mark.parametrize("jti", JTI)
def test_a_session_is_found_by_the_jti_of_any_generation(first, second, jti):
    sessions = OutstandingToken.objects

    assert (
        sessions.get(jti=jti) == sessions.get(Q(jti=jti)) == sessions.get(jti__exact=jti) == first
    )
    assert get_object_or_404(OutstandingToken, Q(jti=jti)) == first
    assert list(sessions.filter(Q(jti=jti), user=first.user)) == [first]
    assert list(sessions.filter(Q(jti=jti) & Q(user=second.user))) == []
    assert set(sessions.filter(Q(jti=jti) | Q(user=second.user))) == {first, second}
    assert list(sessions.filter(~Q(jti=jti))) == [second]
    assert list(sessions.exclude(jti=jti)) == list(sessions.exclude(Q(jti=jti))) == [second]
    assert list(sessions.filter(jti__in=[jti])) == list(sessions.exclude(jti__in=["second"]))
    assert list(first.user.outstandingtoken_set.filter(jti=jti)) == [first]


def test_several_jtis_are_several_sessions(first, second):
    assert OutstandingToken.objects.filter(jti__in=["first.2", "second", "third"]).count() == 2
    assert OutstandingToken.objects.filter(jti__in=(jti for jti in ["second"])).get() == second
    assert not OutstandingToken.objects.filter(jti__in=[]).exists()


@pytest.mark.parametrize("jti", JTI)
def test_a_blacklist_record_is_found_by_the_jti_of_its_session(first, second, jti):
    records = BlacklistedToken.objects
    mine, other = BlacklistedTokenFactory(token=first), BlacklistedTokenFactory(token=second)

    assert records.get(token__jti=jti) == records.get(Q(token__jti=jti)) == mine
    assert (
        list(records.exclude(token__jti=jti)) == list(records.filter(~Q(token__jti=jti))) == [other]
    )
    assert list(records.filter(token__jti__in=[jti])) == [mine]


def test_the_condition_of_the_caller_stays_as_it_is(first):
    condition = Q(jti="first.1") | Q(Q(jti="other"), user=None)
    before = condition.deconstruct()

    OutstandingToken.objects.filter(condition)

    assert condition.deconstruct() == before
