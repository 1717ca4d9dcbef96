"""Refresh: rotation, repeats, reuse, expiry and limits."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.support.devices import Device, user_id_claim
from tests.support.factories import UserFactory
from tests.support.parts import only_with
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.signals import token_repeated, token_reused
from token_blacklist.tokens import AccessToken, RefreshToken

DAY = 24 * 3600


def session():
    return OutstandingToken.objects.get()


def reason():
    return BlacklistedToken.objects.get().reason


def claims(token):
    return RefreshToken(token, verify=False).payload


def test_a_refresh_updates_the_sessions_row_to_the_next_generation(device):
    first = session()

    assert device.refresh().status_code == HTTPStatus.OK

    assert session().pk == first.pk
    assert session().generation == 1
    assert session().refreshed_at is not None
    assert claims(device.refresh_token)["jti"] == session().jti == f"{first.session_id}.1"


def test_the_new_token_keeps_every_other_claim(device):
    before = claims(device.refresh_token)

    device.refresh()

    after = claims(device.refresh_token)
    assert {k for k in before if before[k] != after[k]} <= {"jti", "iat", "exp"}
    assert after["sid"] == before["sid"] == before["jti"]
    assert isinstance(after["user_id"], str)


def test_the_token_and_its_row_agree_on_the_times(device, clock):
    clock.shift(100.7)

    device.refresh()

    assert claims(device.refresh_token)["exp"] == session().expires_at.timestamp()
    assert claims(device.refresh_token)["iat"] == int(session().refreshed_at.timestamp())


def test_a_repeat_within_the_grace_period_returns_the_same_refresh_token(device, clock):
    old = device.refresh_token
    first = device.refresh(old).json()
    clock.shift(10)

    again = device.refresh(old)

    assert again.status_code == HTTPStatus.OK
    assert again.json() == first
    assert device.me().status_code == HTTPStatus.OK
    assert session().generation == 1


def test_each_refresh_gets_an_access_token_with_an_id_and_times_of_its_own(device, clock):
    device.refresh()
    before = claims(device.access)
    clock.shift(7)

    device.refresh()

    after = claims(device.access)
    assert after["jti"] != before["jti"]
    assert (after["iat"], after["exp"]) == (before["iat"] + 7, before["exp"] + 7)


def test_a_repeat_does_not_extend_the_grace_period(device, clock):
    old = device.refresh_token
    device.refresh(old)
    clock.shift(9)
    device.refresh(old)
    clock.shift(2)

    assert device.refresh(old).status_code == HTTPStatus.UNAUTHORIZED


def test_reuse_after_the_grace_period_revokes_the_session_and_its_access_tokens(device, clock):
    old = device.refresh_token
    device.refresh()
    clock.shift(11)

    assert device.refresh(old).json()["code"] == "token_not_valid"

    assert reason() == "reuse"
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert device.refresh(device.refresh_token).status_code == HTTPStatus.UNAUTHORIZED


def test_a_token_of_an_older_generation_is_reuse_even_within_the_grace_period(device):
    oldest = device.refresh_token
    device.refresh()
    device.refresh()

    assert device.refresh(oldest).status_code == HTTPStatus.UNAUTHORIZED
    assert reason() == "reuse"


@pytest.fixture
def atomic_requests(transactional_db, monkeypatch):
    """Run views in a transaction, which a refused request rolls back."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


@pytest.mark.parametrize(
    ("path", "name"), [("", "refresh"), *only_with("sliding", ("sliding/", "token"))]
)
def test_reuse_revokes_the_session_with_atomic_requests_too(atomic_requests, path, name):
    device = Device(UserFactory())
    stolen = device.post(f"/api/token/{path}", device.credentials).json()[name]
    newest = stolen
    for _ in range(2):
        newest = device.post(f"/api/token/{path}refresh/", {name: newest}).json()[name]

    refused = device.post(f"/api/token/{path}refresh/", {name: stolen})

    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert reason() == "reuse"
    assert device.verify(newest).status_code == HTTPStatus.UNAUTHORIZED


def test_with_atomic_requests_other_views_run_in_a_transaction(atomic_requests):
    """Otherwise the test above would pass without its setting."""
    device = Device(UserFactory())
    device.log_in()
    in_transaction = []

    def look(execute, *statement):
        in_transaction.append(connection.in_atomic_block)
        return execute(*statement)

    with connection.execute_wrapper(look):
        assert device.me().status_code == HTTPStatus.OK

    assert in_transaction[-1]


def test_reuse_is_signaled_and_logged_once_and_without_the_token(
    device, clock, caplog, django_capture_on_commit_callbacks
):
    told = []

    def hear(session_id, generation, **_):
        told.append((session_id, generation))

    old = device.refresh_token
    device.refresh()
    clock.shift(11)

    token_reused.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            device.refresh(old)
            device.refresh(old)
    finally:
        token_reused.disconnect(hear)

    warnings = [r.getMessage() for r in caplog.records if r.name == "token_blacklist.events"]
    warnings = [message for message in warnings if message.startswith("token_reused")]
    assert told == [(session().session_id, 0)]
    assert len(warnings) == 1
    assert session().session_id in warnings[0]
    assert "eyJ" not in caplog.text


HOME = {"REMOTE_ADDR": "198.51.100.7", "HTTP_USER_AGENT": "Phone/1.0"}
OTHER_AGENT = {**HOME, "HTTP_USER_AGENT": "Thief/6.6"}
OTHER_NETWORK = {**HOME, "REMOTE_ADDR": "203.0.113.9"}
ATTACKER = OTHER_AGENT | {"REMOTE_ADDR": "203.0.113.9"}


class TestARepeatFromAnotherClient:
    """After a lost response the same client repeats: its network or its user agent is the same."""

    @pytest.fixture
    def phone(self, user):
        phone = Device(user, **HOME)
        assert phone.log_in().status_code == HTTPStatus.OK
        return phone

    def repeated(self, user, phone, client):
        """Refresh, and send the same token from another client."""
        old = phone.refresh_token
        assert phone.refresh().status_code == HTTPStatus.OK
        return Device(user, **client).refresh(old)

    def test_it_is_reuse_and_revokes_the_session_for_both(
        self, user, phone, caplog, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            assert self.repeated(user, phone, ATTACKER).json()["code"] == "token_not_valid"

        assert reason() == "reuse"
        assert phone.me().status_code == HTTPStatus.UNAUTHORIZED
        assert phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
        (warning,) = [r for r in caplog.records if r.message.startswith("token_reused")]
        assert (warning.levelname, warning.ip_address) == ("WARNING", "203.0.113.9")

    def test_the_users_refresh_after_an_attackers_is_reuse(self, user, phone):
        stolen = phone.refresh_token
        assert Device(user, **ATTACKER).refresh(stolen).status_code == HTTPStatus.OK

        assert phone.refresh(stolen).status_code == HTTPStatus.UNAUTHORIZED
        assert reason() == "reuse"

    @pytest.mark.parametrize("client", [HOME, OTHER_AGENT, OTHER_NETWORK])
    def test_with_the_same_network_or_user_agent_it_is_a_repeat(self, user, phone, client):
        repeated = self.repeated(user, phone, client)

        assert repeated.status_code == HTTPStatus.OK
        assert repeated.json()["refresh"] == phone.refresh_token
        assert not BlacklistedToken.objects.exists()

    @pytest.mark.parametrize(
        ("recorded", "address", "is_same"),
        [
            ("198.51.100.7", "198.51.100.250", True),
            ("198.51.100.7", "198.51.101.7", False),
            ("198.51.100.7", "::ffff:198.51.100.9", True),
            ("::ffff:198.51.100.9", "::ffff:203.0.113.9", False),
            ("2001:db8:1:2::1", "2001:db8:1:ffff::9", True),
            ("2001:db8:1:2::1", "2001:db8:2:2::1", False),
            ("2001:db8:1:2::1", "198.51.100.7", False),
            ("", "", True),
            ("", "198.51.100.7", False),
        ],
    )
    def test_a_network_is_24_bits_of_ipv4_and_48_of_ipv6(self, user, recorded, address, is_same):
        phone = Device(user, REMOTE_ADDR=recorded, HTTP_USER_AGENT="Phone/1.0")
        phone.log_in()

        repeated = self.repeated(
            user, phone, {"REMOTE_ADDR": address, "HTTP_USER_AGENT": "Other/1.0"}
        )

        assert repeated.status_code == (HTTPStatus.OK if is_same else HTTPStatus.UNAUTHORIZED)

    def test_a_request_without_a_user_agent_is_not_the_same_client(self, user, phone):
        attacker = {"REMOTE_ADDR": "203.0.113.9"}

        assert self.repeated(user, phone, attacker).status_code == HTTPStatus.UNAUTHORIZED

    def test_a_refresh_in_code_without_a_request_is_never_another_client(self, user, phone):
        old = RefreshToken(phone.refresh_token)
        assert phone.refresh().status_code == HTTPStatus.OK

        assert old.refresh()["refresh"] == phone.refresh_token

    def test_an_unrecorded_client_matches_any_client(self, user):
        token = RefreshToken.for_user(user)
        in_force = token.refresh()["refresh"]

        again = Device(user, **ATTACKER).refresh(str(token))

        assert again.json()["refresh"] == in_force

    def test_a_long_user_agent_is_compared_up_to_its_recorded_length(self, user):
        client = {"REMOTE_ADDR": "198.51.100.7", "HTTP_USER_AGENT": "Long/1.0 " * 99}
        phone = Device(user, **client)
        phone.log_in()

        moved = client | {"REMOTE_ADDR": "203.0.113.9"}
        assert self.repeated(user, phone, moved).status_code == HTTPStatus.OK

    def test_a_repeat_is_signaled_and_logged_with_its_client(
        self, user, phone, caplog, django_capture_on_commit_callbacks
    ):
        caplog.set_level("INFO", "token_blacklist.events")
        heard = []

        def hear(ip_address, user_agent, **_):
            heard.append((ip_address, user_agent))

        token_repeated.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                self.repeated(user, phone, {**OTHER_AGENT, "HTTP_USER_AGENT": "Tab 2/1.0 a=b"})
        finally:
            token_repeated.disconnect(hear)

        assert heard == [("198.51.100.7", "Tab 2/1.0 a=b")]
        (line,) = [r.message for r in caplog.records if r.message.startswith("token_repeated")]
        assert line.endswith("ip_address=198.51.100.7 user_agent='Tab 2/1.0 a=b'")


def test_without_a_grace_period_a_repeat_is_reuse(device, options):
    options(ROTATION_GRACE_PERIOD=timedelta(0))
    old = device.refresh_token
    device.refresh()

    assert device.refresh(old).status_code == HTTPStatus.UNAUTHORIZED
    assert reason() == "reuse"


def test_a_repeat_for_a_revoked_session_is_refused_within_the_grace_period(device):
    old = device.refresh_token
    device.refresh()
    device.log_out()

    assert device.refresh(old).status_code == HTTPStatus.UNAUTHORIZED
    assert reason() == "logout"


def test_a_token_of_a_later_generation_than_the_row_is_refused_and_revokes_nothing(device, caplog):
    device.refresh()
    newest = device.refresh_token
    OutstandingToken.objects.update(generation=0)  # as a restored backup would

    assert device.refresh(newest).status_code == HTTPStatus.UNAUTHORIZED

    assert not BlacklistedToken.objects.exists()
    assert [r.levelname for r in caplog.records if r.name.startswith("token_blacklist")] == [
        "ERROR"
    ]


def test_an_unknown_session_is_refused(device):
    OutstandingToken.objects.all().delete()

    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert not OutstandingToken.objects.exists()


def test_an_expired_token_is_refused_and_changes_nothing(device, clock):
    device.log_in()
    clock.shift(DAY)

    assert device.refresh().json() == {
        "detail": "Your session has ended. Sign in again.",
        "code": "token_not_valid",
        "messages": [{"message": "Token is expired"}],
    }
    assert not BlacklistedToken.objects.exists()


@pytest.mark.parametrize("refreshed", [False, True])
def test_a_session_that_expired_before_its_token_is_refused_without_reuse(device, refreshed):
    old = device.refresh_token
    if refreshed:
        device.refresh()
    OutstandingToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert device.refresh(old).status_code == HTTPStatus.UNAUTHORIZED

    assert session().generation == int(refreshed)
    assert not BlacklistedToken.objects.exists()


def test_within_the_leeway_an_expired_token_still_refreshes(device, clock, options):
    device.log_in()
    options(LEEWAY=timedelta(seconds=30))
    clock.shift(DAY + 29)

    assert device.refresh().status_code == HTTPStatus.OK


@pytest.mark.parametrize("gone", ["inactive", "deleted"])
def test_an_inactive_or_deleted_users_refresh_is_refused_and_changes_nothing(device, user, gone):
    row = type(user).objects.filter(pk=user.pk)
    if gone == "deleted":
        # As a deletion by SQL does; code of a site may revoke the sessions first.
        OutstandingToken.objects.update(user=None)
        row.delete()
    else:
        row.update(is_active=False)

    response = device.refresh()

    assert response.status_code == HTTPStatus.UNAUTHORIZED
    assert response.json()["code"] == "no_active_account"
    assert session().generation == 0
    assert not BlacklistedToken.objects.exists()


def test_refreshes_do_not_extend_a_session_beyond_session_lifetime(device, clock, options):
    options(SESSION_LIFETIME=timedelta(days=2))
    device.log_in()
    signed_in = claims(device.refresh_token)["auth_time"]
    for _ in range(3):
        clock.shift(0.6 * DAY)
        assert device.refresh().status_code == HTTPStatus.OK

    assert claims(device.refresh_token)["exp"] == signed_in + 2 * DAY
    clock.shift(0.3 * DAY)
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


def test_a_shortened_session_lifetime_applies_to_existing_sessions(device, clock, options):
    options(SESSION_LIFETIME=timedelta(hours=1))
    clock.shift(2 * 3600)

    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert session().generation == 0


def test_an_access_token_never_outlives_its_refresh_token(user, options, clock):
    options(REFRESH_TOKEN_LIFETIME=timedelta(seconds=60))

    refresh = RefreshToken.for_user(user)

    assert refresh.access_token["exp"] == refresh["exp"]


def test_claims_added_by_a_subclass_survive_a_refresh(user, device):
    class TenantToken(RefreshToken):
        @classmethod
        def for_user(cls, user, request=None):
            token = super().for_user(user, request)
            token["tenant"] = "acme"
            return token

    token = str(TenantToken.for_user(user))

    device.refresh(token)

    assert claims(device.refresh_token)["tenant"] == "acme"
    assert AccessToken(device.access)["tenant"] == "acme"


def test_without_rotation_a_refresh_only_returns_an_access_token(device, options):
    options(ROTATE_REFRESH_TOKENS=False)

    response = device.refresh()

    assert response.json().keys() == {"access"}
    assert session().generation == 0
    assert device.refresh().status_code == HTTPStatus.OK


def test_without_blacklist_after_rotation_an_older_token_stays_valid(device, options, clock):
    options(BLACKLIST_AFTER_ROTATION=False)
    oldest = device.refresh_token
    device.refresh()
    device.refresh()
    clock.shift(3600)

    assert device.refresh(oldest).status_code == HTTPStatus.OK
    assert device.verify(oldest).status_code == HTTPStatus.OK
    device.log_out()
    assert device.refresh(oldest).status_code == HTTPStatus.UNAUTHORIZED


def test_a_failure_while_creating_the_response_does_not_consume_the_token(device, monkeypatch):
    def fail(self):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(RefreshToken, "access_token", property(fail))
        with pytest.raises(RuntimeError):
            device.refresh()

    assert session().generation == 0
    assert device.refresh().status_code == HTTPStatus.OK


class TestATokenWithoutARecord:
    """One that was issued without lists, or by Simple JWT without its blacklist app."""

    @pytest.fixture
    def stateless(self, user):
        token = RefreshToken()
        token["user_id"] = user_id_claim(user)
        return str(token)

    def test_it_is_refused_by_default(self, device, stateless):
        assert device.refresh(stateless).status_code == HTTPStatus.UNAUTHORIZED
        assert device.verify(stateless).status_code == HTTPStatus.UNAUTHORIZED

    def test_it_is_accepted_if_require_outstanding_is_off(self, device, stateless, options):
        options(REQUIRE_OUTSTANDING=False)

        assert device.verify(stateless).status_code == HTTPStatus.OK
        first = device.refresh(stateless)
        assert first.status_code == HTTPStatus.OK
        assert device.refresh(stateless).json()["refresh"] == first.json()["refresh"]
        assert device.refresh().status_code == HTTPStatus.OK
        assert OutstandingToken.objects.count() == 2

    def test_it_can_be_rotated_without_a_grace_period(self, device, stateless, options):
        options(REQUIRE_OUTSTANDING=False, ROTATION_GRACE_PERIOD=timedelta(0))

        assert device.refresh(stateless).status_code == HTTPStatus.OK
        assert device.refresh().status_code == HTTPStatus.OK

    def test_it_can_be_blacklisted_and_stays_refused(self, device, stateless, options):
        options(REQUIRE_OUTSTANDING=False)

        assert device.log_out(stateless).status_code == HTTPStatus.OK

        assert device.refresh(stateless).status_code == HTTPStatus.UNAUTHORIZED
        assert device.verify(stateless).status_code == HTTPStatus.UNAUTHORIZED

    def test_its_blacklisting_survives_a_flush_if_a_refresh_shortened_its_lifetime(
        self, device, stateless, options, clock
    ):
        options(REQUIRE_OUTSTANDING=False, REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
        for token in (stateless, None):
            assert device.refresh(token).status_code == HTTPStatus.OK
        assert device.log_out().status_code == HTTPStatus.OK

        clock.shift(timedelta(hours=2))
        call_command("flushexpiredtokens")

        assert device.refresh(stateless).status_code == HTTPStatus.UNAUTHORIZED
        assert device.verify(stateless).status_code == HTTPStatus.UNAUTHORIZED

    def test_a_token_whose_session_was_deleted_is_refused(self, device, options):
        options(REQUIRE_OUTSTANDING=False)
        OutstandingToken.objects.all().delete()

        assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
        assert device.verify(device.access).status_code == HTTPStatus.UNAUTHORIZED
