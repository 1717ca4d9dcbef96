"""/api/sessions/: the user's sessions, and ending them."""

from http import HTTPStatus

import pytest
from django.utils import timezone

from accounts.sessions import MAX_LISTED_SESSIONS
from tests.support.devices import Device
from tests.support.factories import BlacklistedTokenFactory, OutstandingTokenFactory, UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken
from token_blacklist.tokens import AccessToken, UntypedToken

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36"
)


def listed(device):
    answer = device.http.get("/api/sessions/", **device.bearer)
    assert answer.status_code == HTTPStatus.OK
    return answer.json()


def end(device, session_id="", **parameters):
    path = f"/api/sessions/{session_id}/" if session_id else "/api/sessions/"
    return device.http.delete(path, query_params=parameters, **device.bearer)


def id_of(device):
    return UntypedToken(device.access)["sid"]


@pytest.fixture
def stranger(db):
    device = Device(UserFactory())
    device.log_in()
    return device


class TestTheList:
    def test_has_exactly_the_users_live_sessions(self, user, device, phone, stranger):
        BlacklistedTokenFactory(token__user=user)
        OutstandingTokenFactory(user=user, expired=True)

        assert {s["id"] for s in listed(device)} == {id_of(device), id_of(phone)}

    def test_has_device_address_times_and_which_one_is_current(self, user, clock):
        device = Device(user, HTTP_USER_AGENT=CHROME, REMOTE_ADDR="192.0.2.7")
        device.log_in()

        (session,) = listed(device)

        signed_in = timezone.now().replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert session == {
            "id": id_of(device),
            "device": "Chrome on Windows",
            "device_type": "computer",
            "ip": "192.0.2.7",
            "signed_in": signed_in,
            "last_active": signed_in,
            "current": True,
        }

    def test_is_ordered_by_last_activity(self, device, clock):
        clock.shift(60)
        phone = Device(device.user)
        phone.log_in()
        assert [s["current"] for s in listed(device)] == [False, True]

        clock.shift(60)
        device.refresh()

        first, second = listed(device)
        assert (first["id"], second["id"]) == (id_of(device), id_of(phone))
        assert first["last_active"] > second["last_active"]

    def test_has_at_most_a_hundred_sessions(self, user, device):
        OutstandingTokenFactory.create_batch(MAX_LISTED_SESSIONS + 5, user=user)

        assert len(listed(device)) == MAX_LISTED_SESSIONS == 100

    def test_is_two_statements_at_any_length(self, user, device):
        OutstandingTokenFactory.create_batch(10, user=user, user_agent=CHROME)

        with statements("SELECT", "SELECT"):
            listed(device)

    def test_marks_none_as_current_for_a_token_without_a_session(self, device):
        device.access = str(AccessToken.for_user(device.user))

        assert [s["current"] for s in listed(device)] == [False]

    def test_has_sessions_without_device_and_address(self, user, device):
        OutstandingTokenFactory(user=user, created_at=None)  # as Simple JWT allowed

        last = listed(device)[-1]

        assert (last["signed_in"], last["last_active"], last["ip"]) == (None, None, None)
        assert last["device"] == "Unknown device"


class TestEndingOne:
    def test_signs_that_device_out_immediately_and_no_other(self, user, device, phone):
        answer = end(device, id_of(phone))

        assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {})
        assert phone.me().status_code == phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert device.me().status_code == HTTPStatus.OK
        entry = BlacklistedToken.objects.get()
        assert (entry.reason, entry.blacklisted_by) == ("logout", user)

    def test_is_three_statements_and_two_if_it_has_already_ended(self, device, phone):
        with statements("SELECT", "SELECT", "INSERT"):
            end(device, id_of(phone))
        with statements("SELECT", "SELECT"):
            assert end(device, id_of(phone)).status_code == HTTPStatus.OK

    def test_of_another_user_is_404_and_stays_live(self, device, stranger):
        answer = end(device, id_of(stranger))

        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.json() == {"detail": "You have no session with this id.", "code": "not_found"}
        assert stranger.me().status_code == HTTPStatus.OK

    @pytest.mark.parametrize("session_id", ["0" * 32, "1", "%00", "a%0Ab", "%ED%A0%80", "x" * 5000])
    def test_with_an_unknown_or_malformed_id_is_404(self, device, session_id):
        answer = end(device, session_id)

        assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.NOT_FOUND, "not_found")


class TestEndingMany:
    def test_revokes_all_but_the_current_one(self, user, device, phone, stranger):
        OutstandingTokenFactory.create_batch(3, user=user)

        answer = end(device)

        assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"ended": 4})
        assert phone.me().status_code == HTTPStatus.UNAUTHORIZED
        assert device.me().status_code == stranger.me().status_code == HTTPStatus.OK
        entries = BlacklistedToken.objects.all()
        assert {(e.reason, e.blacklisted_by) for e in entries} == {("logout_all", user)}
        assert end(device).json() == {"ended": 0}

    def test_revokes_the_current_one_too_with_all(self, device, phone):
        assert end(device, all="true").json() == {"ended": 2}
        assert device.me().status_code == phone.me().status_code == HTTPStatus.UNAUTHORIZED

    def test_revokes_every_session_for_a_token_without_a_session(self, device, phone):
        token = AccessToken.for_user(device.user)
        token["auth_time"] = token["iat"]
        device.access = str(token)

        assert end(device).json() == {"ended": 2}
        assert device.me().status_code == HTTPStatus.OK
        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize("value", ["maybe", "\x00", "2", "[]"])
    def test_with_an_invalid_value_of_all_revokes_nothing(self, device, phone, value):
        answer = end(device, all=value)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json() == {"all": ["Must be a valid boolean."]}
        assert phone.me().status_code == HTTPStatus.OK

    def test_is_one_insert_for_any_number_of_sessions(self, user, device):
        OutstandingTokenFactory.create_batch(50, user=user)

        with statements("SELECT", "INSERT"):
            assert end(device, all="true").json() == {"ended": 51}
