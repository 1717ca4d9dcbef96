"""What happened to an account lately: collecting it, the list, and what the owner is told of."""

import threading
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.utils import timezone

from accounts import report
from accounts.activity import MAX_LISTED, collect, purge
from accounts.models import Activity
from tests.support.devices import Device
from tests.support.factories import BlacklistedTokenFactory, OutstandingTokenFactory, UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.signals import tokens_flushed

pytestmark = pytest.mark.django_db

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/{}.0.0.0 Safari/537.36"
)
CHROME_120 = CHROME.format(120)
HOME, NEIGHBOR, ABROAD = "192.0.2.7", "192.0.2.99", "198.51.100.1"
WAITING = Activity.Mail.WAITING


@pytest.fixture(autouse=True)
def begun():
    """An activity of somebody else: the very first run, which tells nobody, was before."""
    return Activity.objects.create(
        user=UserFactory(),
        kind="sign_in",
        at=timezone.now() - timedelta(days=1),
        session_id="first",
    )


def sign_in(user, *, agent=CHROME_120, ip=HOME, ago=timedelta(0)):
    return OutstandingTokenFactory(
        user=user, user_agent=agent, ip_address=ip, created_at=timezone.now() - ago
    )


def of(user):
    return Activity.objects.filter(user=user).order_by("at", "pk")


def mails(user):
    return [each.mail for each in of(user)]


@pytest.fixture
def known(user):
    """The user, who has signed in at home with Chrome 120."""
    sign_in(user, ago=timedelta(hours=1))
    Activity.objects.create(
        user=user,
        kind="sign_in",
        at=timezone.now() - timedelta(hours=1),
        session_id=OutstandingToken.objects.get(user=user).session_id,
        ip_address=HOME,
        user_agent=CHROME_120,
    )
    return user


class TestCollecting:
    def test_copies_a_sign_in_with_its_device_address_and_time(self, user):
        session = sign_in(user)

        assert collect() == 1

        stored = of(user).get()
        assert (stored.kind, stored.session_id) == ("sign_in", session.session_id)
        assert (stored.at, stored.ip_address) == (session.created_at, HOME)
        assert stored.user_agent == CHROME_120

    @pytest.mark.parametrize(
        ("reason", "note", "kind"),
        [
            ("logout", "", "sign_out"),
            ("logout_all", report.NOTE, "reported"),
            ("reuse", "", "reuse"),
            ("password", "", "password"),
            ("admin", "Stolen.", "support"),
            ("api", "", "ended"),
        ],
    )
    def test_copies_the_end_of_a_session(self, user, reason, note, kind):
        record = BlacklistedTokenFactory(token=sign_in(user), reason=reason, note=note)

        collect()

        end = of(user).exclude(kind="sign_in").get()
        assert (end.kind, end.at) == (kind, record.blacklisted_at)
        assert end.note == (note if kind == "support" else "")

    def test_stores_nothing_twice(self, user):
        BlacklistedTokenFactory(token=sign_in(user))
        collect()

        assert collect() == 0
        assert of(user).count() == 2

    def test_finds_a_row_that_was_committed_late(self, user):
        sign_in(user)
        collect()
        sign_in(user, ago=timedelta(seconds=100))

        assert collect() == 1

    def test_is_not_held_up_by_a_time_in_the_future(self, user):
        sign_in(user, ago=-timedelta(days=1))
        collect()
        sign_in(user)

        assert collect() == 1

    def test_copies_more_than_a_batch_in_order_with_constant_statements(self, user, monkeypatch):
        monkeypatch.setattr("accounts.activity.BATCH_SIZE", 5)
        sessions = [sign_in(user, ago=timedelta(seconds=60 - n % 4)) for n in range(10)]

        # The newest; a page of each list; what the accounts used, INSERT; again; users to keep.
        batch = ["SELECT", "INSERT"]
        with statements("SELECT", "SELECT", "SELECT", *batch, "SELECT", *batch, "SELECT", "SELECT"):
            assert collect() == 10

        assert {each.session_id for each in of(user)} == {each.session_id for each in sessions}

    def test_for_the_first_time_copies_the_old_and_tells_only_of_the_new(self, begun):
        begun.delete()
        user = UserFactory(date_joined=timezone.now() - timedelta(days=400))
        old = BlacklistedTokenFactory(token=sign_in(user, ago=timedelta(days=2)), reason="reuse")
        BlacklistedToken.objects.filter(pk=old.pk).update(
            blacklisted_at=timezone.now() - timedelta(days=1)
        )
        sign_in(user, ip=ABROAD)

        collect()

        assert mails(user) == ["", "", WAITING]


class TestTheOwner:
    def test_is_not_told_of_the_first_sign_in_after_signing_up(self, user):
        sign_in(user)

        collect()

        assert mails(user) == [""]

    def test_is_told_of_the_second_from_elsewhere_even_in_the_same_run(self, user):
        sign_in(user, ago=timedelta(seconds=2))
        sign_in(user, ip=ABROAD, ago=timedelta(seconds=1))
        sign_in(user, ip=ABROAD)

        collect()

        assert mails(user) == ["", WAITING, ""]

    @pytest.mark.parametrize(
        ("agent", "ip", "mail"),
        [
            (CHROME_120, HOME, ""),
            (CHROME.format(121), NEIGHBOR, ""),
            ("Firefox/1.0", HOME, WAITING),
            (CHROME_120, ABROAD, WAITING),
            (CHROME_120, None, ""),
        ],
    )
    def test_is_told_of_a_new_device_or_network(self, known, agent, ip, mail):
        sign_in(known, agent=agent, ip=ip)

        collect()

        assert of(known).last().mail == mail

    def test_is_told_of_a_device_that_another_account_uses(self, known):
        other = UserFactory()
        sign_in(other, ago=timedelta(seconds=3))
        sign_in(other, agent="Firefox/1.0", ip=ABROAD, ago=timedelta(seconds=2))
        sign_in(known, agent="Firefox/1.0", ip=ABROAD)

        collect()

        assert of(known).last().mail == WAITING

    @pytest.mark.parametrize(("days", "mail"), [(89, ""), (91, WAITING)])
    def test_is_told_if_the_device_was_not_used_for_90_days(self, known, days, mail):
        known.date_joined = timezone.now() - timedelta(days=400)
        known.save()
        of(known).update(at=timezone.now() - timedelta(days=days))
        sign_in(known)

        collect()

        assert of(known).last().mail == mail

    def test_is_told_of_no_sign_in_if_the_setting_is_off(self, known, settings):
        settings.NOTIFY_SIGN_INS = False
        BlacklistedTokenFactory(token=sign_in(known, ip=ABROAD), reason="reuse")

        collect()

        assert {(each.kind, each.mail) for each in of(known)} == {
            ("sign_in", ""),
            ("reuse", WAITING),
        }

    @pytest.mark.parametrize("reason", ["reuse", "admin", "logout", "password"])
    def test_is_told_that_reuse_or_support_ended_a_session_and_of_no_own_end(self, known, reason):
        BlacklistedTokenFactory(token=sign_in(known), reason=reason)

        collect()

        expected = WAITING if reason in {"reuse", "admin"} else ""
        assert of(known).exclude(kind="sign_in").get().mail == expected


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_time_store_and_tell_once(monkeypatch):
    users = UserFactory.create_batch(20)
    for user in users:
        sign_in(user, ago=timedelta(seconds=2))
        BlacklistedTokenFactory(token=sign_in(user, ip=ABROAD), reason="reuse")
    both = threading.Barrier(2)
    insert = Activity.objects.bulk_create
    errors = []

    def insert_together(*args, **kwargs):
        both.wait(timeout=10)
        return insert(*args, **kwargs)

    def run():
        try:
            collect()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(
        type(Activity.objects), "bulk_create", lambda self, *a, **k: insert_together(*a, **k)
    )
    threads = [threading.Thread(target=run) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert errors == []
    for user in users:
        assert mails(user) == ["", WAITING, WAITING]


def test_what_is_older_than_90_days_is_deleted_with_the_daily_flush(user, known):
    kept, old = of(known).get(), sign_in(user)
    Activity.objects.create(
        user=user, kind="sign_in", at=timezone.now() - timedelta(days=91), session_id=old.session_id
    )

    tokens_flushed.send(None, outstanding=0, blacklisted=0)

    assert [each.pk for each in of(known)] == [kept.pk]
    assert purge() == 0


class TestTheList:
    def listed(self, device):
        answer = device.http.get("/api/me/activity/", **device.bearer)
        assert answer.status_code == HTTPStatus.OK
        return answer.json()

    def test_has_what_happened_the_newest_first(self, user, clock):
        device = Device(user, HTTP_USER_AGENT=CHROME_120, REMOTE_ADDR=HOME)
        device.log_in()
        signed_in = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        session = OutstandingToken.objects.get(user=user).session_id
        clock.shift(60)
        record = BlacklistedTokenFactory(
            token=sign_in(user, agent=""), reason="admin", note="Stolen."
        )
        collect()

        first, _other, last = self.listed(device)

        assert (first["kind"], first["note"]) == ("support", "Stolen.")
        assert (first["session"], first["device"]) == (record.token.session_id, "Unknown device")
        assert last == {
            "kind": "sign_in",
            "at": signed_in,
            "device": "Chrome on Windows",
            "device_type": "computer",
            "ip": HOME,
            "session": session,
            "note": "",
        }

    def test_is_of_the_user_alone_and_of_30_days(self, device):
        assert self.listed(device) == []
        for days in (29, 31):
            at = timezone.now() - timedelta(days=days)
            Activity.objects.create(user=device.user, kind="sign_out", at=at, session_id=f"{days}")

        assert [each["session"] for each in self.listed(device)] == ["29"]

    def test_has_at_most_a_hundred_in_two_statements(self, device):
        now = timezone.now()
        Activity.objects.bulk_create(
            Activity(user=device.user, kind="sign_in", at=now, session_id=str(n))
            for n in range(MAX_LISTED + 1)
        )

        with statements("SELECT", "SELECT"):
            assert len(self.listed(device)) == MAX_LISTED == 100
