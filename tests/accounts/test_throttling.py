"""How often a client may knock."""

import json
import logging
import subprocess
import sys
import threading
import time
from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from rest_framework.test import APIClient

from accounts import throttling
from accounts.counts import Counts
from tests.support.checkout import ROOT, bare_environment
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.redis import redis_process, redis_url
from tests.support.windows import within_one
from tests.token_blacklist.test_budgets import statements
from tests.token_blacklist.test_introspection import SECRET, basic, digest
from token_blacklist.models import OutstandingToken

THROUGH = HTTPStatus.UNAUTHORIZED
HELD = HTTPStatus.TOO_MANY_REQUESTS
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def rates(settings, clock, db):
    """Set rates for one test, on a clock that stands still: `rates(login="2/min")`."""
    cache.clear()

    def change(proxies=0, **rates):
        settings.REST_FRAMEWORK = {
            **settings.REST_FRAMEWORK,
            "DEFAULT_THROTTLE_RATES": rates,
            "NUM_PROXIES": proxies,
        }

    yield change
    cache.clear()


def knock(path="/api/token/", data=None, **extra):
    data = {"email": "a@example.com", "password": "wrong"} if data is None else data
    body = data if isinstance(data, str) else json.dumps(data)
    return APIClient().post(path, body, content_type="application/json", **extra)


def statuses(times, *args, **kwargs):
    return [knock(*args, **kwargs).status_code for _ in range(times)]


def test_over_the_rate_it_is_429_and_says_how_long(rates, clock):
    rates(login="2/min")
    clock.move_to(1_800_000_000 + 17.5)
    assert statuses(2) == [THROUGH, THROUGH]

    held = knock()

    assert held.status_code == HELD
    assert held["Retry-After"] == "43"
    assert held.json() == {
        "detail": "Too many attempts. Try again in 43 seconds.",
        "code": "throttled",
    }


def test_after_the_wait_it_goes_on(rates, clock):
    rates(login="2/min")
    statuses(2)

    clock.shift(int(knock()["Retry-After"]))

    assert statuses(3) == [THROUGH, THROUGH, HELD]


@pytest.mark.parametrize(
    ("scope", "path", "data", "through"),
    [
        ("login", "/api/token/", {"email": "a", "password": "b"}, THROUGH),
        ("login", "/api/token/sliding/", {"email": "a", "password": "b"}, THROUGH),
        ("refresh", "/api/token/refresh/", {"refresh": "x"}, THROUGH),
        ("refresh", "/api/token/sliding/refresh/", {"token": "x"}, THROUGH),
        ("register", "/api/register/", {"email": "a"}, HTTPStatus.BAD_REQUEST),
        ("reset", "/api/password/reset/", {"email": "a"}, HTTPStatus.BAD_REQUEST),
    ],
)
def test_each_door_has_its_rate(rates, scope, path, data, through):
    rates(**{scope: "1/hour"})

    assert statuses(2, path, data) == [through, HELD]


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete"])
@pytest.mark.parametrize(
    ("scope", "path"),
    [("login", "/api/token/"), ("refresh", "/api/token/refresh/"), ("register", "/api/register/")],
)
def test_a_method_that_does_nothing_is_not_counted(rates, scope, path, method):
    rates(**{scope: "1/hour"})
    idle = [getattr(APIClient(), method)(path).status_code for _ in range(3)]

    refused = HTTPStatus.OK if method == "options" else HTTPStatus.METHOD_NOT_ALLOWED
    assert idle == [refused] * 3
    assert statuses(2, path, {"email": "a"})[0] == HTTPStatus.BAD_REQUEST
    assert statuses(1, path, {"email": "a"}) == [HELD]


class TestAPageOfAnotherSite:
    """A browser says where a request comes from; no script can change what it says."""

    FOREIGN = {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://evil.example"}

    @pytest.mark.parametrize("path", ["/api/token/", "/api/token/sliding/", "/api/register/"])
    @pytest.mark.parametrize(
        "browser",
        [
            FOREIGN,
            {**FOREIGN, "HTTP_ORIGIN": "null"},
            {**FOREIGN, "HTTP_ORIGIN": "http://[nonsense"},
            {**FOREIGN, "HTTP_SEC_FETCH_SITE": "same-site"},
            {"HTTP_SEC_FETCH_SITE": "cross-site"},
        ],
    )
    def test_uses_up_no_attempts_of_its_visitor(self, rates, path, browser):
        rates(login="1/hour", login_account="1/hour", register="1/hour")
        for _ in range(3):
            foreign = Client().post(path, "email=a", FORM, **browser)
            assert foreign.status_code == HTTPStatus.FORBIDDEN

        assert knock(path, {"email": "a"}).status_code == HTTPStatus.BAD_REQUEST
        assert knock(path, {"email": "a"}).status_code == HELD

    def test_is_told_why(self, rates):
        answer = knock(**self.FOREIGN)

        assert answer.json() == {
            "detail": "Requests from other sites are refused.",
            "code": "cross_site",
        }

    @pytest.mark.parametrize(
        ("setting", "named", "origin"),
        [
            ("CORS_ALLOWED_ORIGINS", "https://app.example", "https://app.example"),
            ("CSRF_TRUSTED_ORIGINS", "https://app.example", "https://app.example"),
            ("CSRF_TRUSTED_ORIGINS", "https://*.example", "https://app.example"),
            ("CSRF_TRUSTED_ORIGINS", "https://app.example", "http://testserver"),
        ],
    )
    def test_is_let_in_where_it_is_ours(self, rates, settings, setting, named, origin):
        rates(login="1/hour")
        setattr(settings, setting, [named])

        assert knock(**{**self.FOREIGN, "HTTP_ORIGIN": origin}).status_code == THROUGH

    @pytest.mark.parametrize("site", ["same-origin", "none", "nonsense", ""])
    def test_is_not_what_a_page_of_ours_or_a_program_is(self, rates, site):
        assert knock(HTTP_SEC_FETCH_SITE=site).status_code == THROUGH

    @pytest.mark.parametrize("path", ["/password/reset/", "/admin/login/"])
    def test_uses_up_no_attempts_at_a_form(self, rates, path):
        rates(login="1/hour", reset="1/hour")
        foreign = Client(enforce_csrf_checks=True)
        for _ in range(3):
            assert foreign.post(path, {}, **self.FOREIGN).status_code == HTTPStatus.FORBIDDEN

        assert Client().post(path, {}).status_code == HTTPStatus.OK
        assert Client().post(path, {}).status_code == HELD


def test_a_change_of_password_is_counted_by_the_person(device, phone, rates):
    rates(password="2/hour")
    stranger = Device(UserFactory())
    stranger.log_in()
    wrong = {"old_password": "wrong", "new_password": "a long new password"}

    def guess(of, address):
        return knock("/api/password/change/", wrong, REMOTE_ADDR=address, **of.bearer).status_code

    guesses = [guess(device, "192.0.2.1"), guess(phone, "192.0.2.2"), guess(device, "192.0.2.3")]
    assert guesses == [HTTPStatus.BAD_REQUEST, HTTPStatus.BAD_REQUEST, HELD]
    assert guess(stranger, "192.0.2.1") == HTTPStatus.BAD_REQUEST


class TestByAddress:
    def test_each_has_its_own_count(self, rates):
        rates(login="1/min")

        for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            assert statuses(2, REMOTE_ADDR=address) == [THROUGH, HELD]

    def test_an_ipv6_network_is_one_client(self, rates):
        rates(login="1/min")
        knock(REMOTE_ADDR="2001:db8::1")

        assert knock(REMOTE_ADDR="2001:db8::ffff:2").status_code == HELD
        assert knock(REMOTE_ADDR="2001:db8:0:1::1").status_code == THROUGH

    @pytest.mark.parametrize("proxies", [0, 1])
    def test_a_forged_forwarded_for_changes_nothing(self, rates, proxies):
        rates(login="2/min", proxies=proxies)
        real = ", 192.0.2.1" if proxies else ""

        got = [
            knock(HTTP_X_FORWARDED_FOR=f"198.51.100.{n}{real}", REMOTE_ADDR="192.0.2.9").status_code
            for n in range(3)
        ]

        assert got == [THROUGH, THROUGH, HELD]

    def test_a_client_without_one_is_not_counted_with_all_the_others(self, rates):
        rates(login="1/min")

        assert statuses(3, REMOTE_ADDR="") == [THROUGH] * 3


# Of ada@example.com, as the fields of a form and of a serializer take it.
SPELLINGS = {
    "spaces": "ada@example.com" + " " * 300,
    "spaces before": " " * 300 + "ADA@example.com",
    "white space": "\t\n\u00a0\u3000\u2003\x1f" * 60 + "ada@example.com\r\n",
    "full width": "\uff21\uff24\uff21@\uff45xample.com" + "\u2003" * 300,
    "ligatures": "ada@example.\uff43om" + "\u2028" * 999,
}


class TestByAccount:
    @pytest.fixture(autouse=True)
    def many_addresses(self, rates):
        self.number = 0
        rates(login_account="2/min")

    def try_as(self, email):
        self.number += 1
        data = {"email": email, "password": "wrong"}
        return knock(data=data, REMOTE_ADDR=f"192.0.2.{self.number}").status_code

    def test_it_counts_however_the_address_is_typed(self):
        typed = ["ada@example.com", " ADA@Example.COM ", "\uff21da@example.com"]

        assert [self.try_as(email) for email in typed] == [THROUGH, THROUGH, HELD]
        assert self.try_as("grace@example.com") == THROUGH

    def test_a_number_counts_as_the_text_it_is_taken_for(self):
        assert [self.try_as(email) for email in (5, "5", 5)] == [THROUGH, THROUGH, HELD]

    @pytest.mark.parametrize("email", [None, [], {}, True, "", "a\x00", "\ud800", "x" * 60_000])
    def test_an_address_of_any_shape_is_no_500(self, email):
        assert self.try_as(email) in {HTTPStatus.BAD_REQUEST, THROUGH}

    @pytest.mark.parametrize("body", ["[]", "5", "null", "{", "[" * 50_000, ""])
    def test_a_body_of_any_shape_is_no_500(self, body):
        assert knock(data=body).status_code == HTTPStatus.BAD_REQUEST

    @pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
    @pytest.mark.parametrize("door", ["/api/token/", "/api/token/sliding/", "/admin/login/"])
    @pytest.mark.parametrize("kind", ["json", "form"])
    def test_no_spelling_of_an_account_has_guesses_of_its_own(self, spelling, door, kind):
        user = UserFactory(email="ada@example.com", is_staff=True)
        self.try_as(user.email)
        self.try_as(user.email)

        name = "username" if "admin" in door else "email"
        data = {name: spelling, "password": PASSWORD}
        if kind == "json":
            answer = knock(door, data, REMOTE_ADDR="192.0.2.99")
        else:
            answer = Client().post(door, urlencode(data), FORM, REMOTE_ADDR="192.0.2.99")

        # The admin takes no JSON: to it, that is a form without fields, which signs nobody in.
        expected = HTTPStatus.OK if ("admin" in door and kind == "json") else HELD
        assert answer.status_code == expected

    def test_a_spelling_that_names_another_account_has_the_same_guesses_each_time(self):
        spellings = ["ada\u200b@example.com", "ada\u200b@example.com" + " " * 300]

        assert [self.try_as(email) for email in (*spellings, spellings[0])] == [
            *[THROUGH] * 2,
            HELD,
        ]

    def test_the_right_password_waits_too(self):
        user = UserFactory()
        for _guess in range(2):
            self.try_as(user.email)

        assert Device(user).log_in().status_code == HELD


def test_who_is_held_off_by_address_does_not_use_up_an_account(rates):
    rates(login="1/min", login_account="2/min")
    user = UserFactory()
    guess = {"email": user.email, "password": "wrong"}
    assert statuses(5, data=guess) == [THROUGH, *[HELD] * 4]

    assert Device(user, REMOTE_ADDR="192.0.2.2").log_in().status_code == HTTPStatus.OK


@pytest.mark.parametrize("rate", [None, "absent"])
def test_without_a_rate_there_is_no_limit(rates, rate):
    rates(**({} if rate == "absent" else {"login": rate, "login_account": rate}))

    assert statuses(5) == [THROUGH] * 5


def test_a_check_sends_no_statement(device, rates):
    rates(login="5/min", login_account="5/min", refresh="5/min")

    with statements("SELECT", "INSERT"):
        device.log_in()
    with statements("UPDATE"):
        device.refresh()


def test_a_key_of_the_cache_tells_nothing(rates):
    rates(login="5/min", login_account="5/min")
    knock(REMOTE_ADDR="192.0.2.1")

    keys = " ".join(cache._cache)
    assert keys.count("throttle:") == 2
    assert "example.com" not in keys
    assert "192.0.2.1" not in keys


@pytest.fixture
def counts(monkeypatch):
    """The counts of a process that has just started."""
    fresh = Counts()
    monkeypatch.setattr(throttling, "counts", fresh)
    return fresh


@pytest.fixture
def seconds(monkeypatch):
    """The clock by which a cache that failed is left alone: `seconds.pass_(10)`."""

    class Seconds:
        now = 1000.0

        def pass_(self, seconds):
            self.now += seconds

    clock = Seconds()
    monkeypatch.setattr("accounts.counts.monotonic", lambda: clock.now)
    return clock


def test_where_the_cache_is_broken_each_process_counts_alone_and_says_so_once(
    rates, settings, caplog, counts, seconds
):
    rates(login="2/min")
    working = settings.CACHES
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:9/0"}}

    with caplog.at_level(logging.ERROR, logger="accounts.counts"):
        assert statuses(3) == [THROUGH, THROUGH, HELD]
        seconds.pass_(10)
        assert statuses(1) == [HELD]

    assert caplog.text.count("each process throttles alone") == 1
    settings.CACHES = working
    seconds.pass_(10)
    assert statuses(3) == [THROUGH, THROUGH, HELD]


class HangingCache(LocMemCache):
    """Fails as a server that answers nothing; `is_up` and `asked` are of all of them."""

    is_up, asked = False, 0

    def add(self, *args, **kwargs):
        type(self).asked += 1
        if not self.is_up:
            raise TimeoutError("Timeout reading from socket")
        return super().add(*args, **kwargs)


class TestACacheThatHangs:
    @pytest.fixture(autouse=True)
    def hanging(self, rates, settings, counts, seconds, monkeypatch):
        rates(login="100/min", login_account="100/min")
        settings.CACHES = {"default": {"BACKEND": f"{__name__}.HangingCache", "LOCATION": "hung"}}
        monkeypatch.setattr(HangingCache, "is_up", False)
        monkeypatch.setattr(HangingCache, "asked", 0)

    def test_is_asked_once_in_ten_seconds(self, seconds):
        assert statuses(20) == [THROUGH] * 20
        assert HangingCache.asked == 1

        seconds.pass_(9.9)
        knock()
        assert HangingCache.asked == 1

        seconds.pass_(0.1)
        statuses(5)
        assert HangingCache.asked == 2

    def test_is_used_again_once_it_works_and_both_are_logged_once(self, seconds, caplog):
        with caplog.at_level(logging.WARNING, logger="accounts.counts"):
            for _ in range(3):
                knock()
                seconds.pass_(10)
            HangingCache.is_up = True
            statuses(3)

        logged = [record.getMessage() for record in caplog.records if "throttle" in record.msg]
        assert [message.partition(":")[0] for message in logged] == [
            "each process throttles alone",
            "the processes throttle together again",
        ]
        assert HangingCache.asked == 3 + 3 * 2

    def test_is_asked_by_one_thread_at_a_time(self, counts, seconds, monkeypatch):
        counts.add("key", 60)
        seconds.pass_(10)
        asked, go_on = threading.Semaphore(0), threading.Event()

        def hang(cache, *args, **kwargs):
            asked.release()
            go_on.wait(20)
            raise TimeoutError

        monkeypatch.setattr(HangingCache, "add", hang)
        first = threading.Thread(target=counts.add, args=("key", 60))
        first.start()
        assert asked.acquire(timeout=20)

        others = [counts.add("key", 60) for _ in range(5)]

        go_on.set()
        first.join(timeout=20)
        assert others == [2, 3, 4, 5, 6]
        assert not asked.acquire(blocking=False)


@pytest.mark.process
def test_a_server_that_is_stopped_costs_one_time_out(rates, settings, counts, user):
    rates(login="100/min", login_account="100/min", refresh="100/min")
    device = Device(user)
    device.log_in()
    working = settings.CACHES
    with redis_process() as server:
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": server.url,
                "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
            }
        }
        assert device.refresh().status_code == HTTPStatus.OK
        server.stop()
        before = time.perf_counter()

        for _ in range(30):
            assert device.refresh().status_code == HTTPStatus.OK
        for pool in caches["default"]._cache._pools.values():
            pool.disconnect()

    settings.CACHES = working
    assert time.perf_counter() - before < 20  # and not a second for each


class TestAStrangerWhoFailsOften:
    """From many addresses, so that only the account's rate holds them off."""

    HOME = {"REMOTE_ADDR": "192.0.2.77"}

    def fail(self, user, times):
        guess = {"email": user.email, "password": "guess"}
        return [
            knock(data=guess, REMOTE_ADDR=f"198.51.100.{number}").status_code
            for number in range(times)
        ]

    def test_is_held_off(self, user, rates):
        rates(login="20/min", login_account="5/min")

        assert self.fail(user, 8) == [THROUGH] * 5 + [HELD] * 3

    @pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::1", "2001:db8::2", "192.0.2.78"])
    def test_does_not_lock_out_the_owners_device_wherever_it_is(self, user, rates, address):
        device = Device(user, REMOTE_ADDR="2001:db8::1")
        assert device.log_in().status_code == HTTPStatus.OK
        rates(login="20/min", login_account="5/min")
        self.fail(user, 8)

        device.http.defaults["REMOTE_ADDR"] = address
        assert device.log_in().status_code == HTTPStatus.OK
        assert Device(user, REMOTE_ADDR=address).log_in().status_code == HELD

    def test_does_not_lock_out_the_owners_device_after_the_flush(self, user, rates):
        device = Device(user, **self.HOME)
        assert device.log_in().status_code == HTTPStatus.OK
        OutstandingToken.objects.all().delete()
        rates(login="20/min", login_account="5/min")
        self.fail(user, 8)

        assert device.log_in().status_code == HTTPStatus.OK

    def test_learns_nothing_at_an_address_of_the_owners(self, user, rates):
        Device(user, **self.HOME).log_in()
        rates(login="100/min", login_account="5/min")
        self.fail(user, 5)

        guess = {"email": user.email, "password": "guess"}
        there = [knock(data=guess, **self.HOME).status_code for _ in range(2)]
        elsewhere = [knock(data=guess, REMOTE_ADDR="192.0.2.78").status_code for _ in range(2)]

        assert there == elsewhere == [HELD] * 2

    def test_cannot_go_on_from_the_owners_device_for_ever(self, user, rates):
        device = Device(user)
        device.log_in()
        rates(login="100/min", login_account="5/min")
        self.fail(user, 8)
        guess = {"email": user.email, "password": "guess"}

        said = [device.post("/api/token/", guess).status_code for _ in range(7)]

        assert said == [THROUGH] * 5 + [HELD] * 2

    def test_a_limit_sends_no_statement_however_it_ends(self, user, rates):
        device = Device(user)
        device.log_in()
        rates(login="20/min", login_account="5/min")
        self.fail(user, 8)

        with statements("SELECT", "INSERT"):
            assert device.log_in().status_code == HTTPStatus.OK
        with statements():
            assert Device(user).log_in().status_code == HELD


def test_a_change_of_password_counts_for_nobody_elses_account(device, user, rates):
    rates(password="100/hour", reset_account="2/hour", password_account="2/hour")
    victim = UserFactory()
    for _ in range(5):
        knock("/api/password/change/", {"email": victim.email}, **device.bearer)

    answer = Client().post("/password/reset/", {"email": victim.email})

    assert answer.status_code == HTTPStatus.FOUND


@pytest.mark.parametrize(
    "hop", ["203.0.113.9:51234", "[2001:db8::1]", "[2001:db8::1]:443", "nonsense", "fe80::1%eth0"]
)
def test_a_hop_in_any_form_is_counted(rates, hop):
    rates(login="2/min", proxies=1)

    assert statuses(3, HTTP_X_FORWARDED_FOR=hop) == [THROUGH, THROUGH, HELD]


def test_a_hop_with_a_long_zone_is_an_address_without_it(user, rates):
    rates(proxies=1)
    device = Device(user, HTTP_X_FORWARDED_FOR="fe80::1%" + "z" * 300)

    assert device.log_in().status_code == HTTPStatus.OK
    assert OutstandingToken.objects.get().ip_address == "fe80::1"


def test_a_very_long_address_is_refused_at_once(rates):
    rates(login_account="100/min")
    marks = "a" + "\u0301\u0323" * 16_000  # the longest that a body can have
    before = time.process_time()

    answers = [
        knock(path, json.dumps({"email": marks, "password": "guess-that"}, ensure_ascii=False))
        for path in ("/api/token/", "/api/token/sliding/", "/api/register/")
    ]

    assert [answer.status_code for answer in answers] == [THROUGH, THROUGH, HTTPStatus.BAD_REQUEST]
    assert time.process_time() - before < 20


KNOCKING = """
import django; django.setup()
from django.test import Client
from rest_framework.test import APIClient
http = APIClient(SERVER_NAME="localhost")
for _ in range(20):
    print(http.post("/api/token/refresh/", {"refresh": "x"}, format="json").status_code)
"""


@pytest.fixture
def redis():
    with redis_url() as url:
        yield url


@pytest.mark.process
def test_four_processes_count_as_one(tmp_path, redis):
    for attempt in within_one("day"):
        environment = bare_environment(
            DJANGO_SETTINGS_MODULE="config.settings",
            ENV_FILE="",
            DEBUG="True",
            LOG_LEVEL="CRITICAL",
            CACHE_URL=f"{redis[:-1]}{attempt}",
            DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}",
            THROTTLE_REFRESH="33/day",
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", KNOCKING],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        got = " ".join(process.communicate(timeout=60)[0] for process in processes).split()

    assert len(got) == 80
    assert (got.count("401"), got.count("429")) == (33, 47)


def test_a_person_signs_in_and_stays_signed_in_under_the_rates_of_the_example(user, rates):
    from config.settings import REST_FRAMEWORK

    rates(**REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])
    device = Device(user)

    assert device.log_in(password=PASSWORD).status_code == HTTPStatus.OK
    assert [device.refresh().status_code for _ in range(20)] == [HTTPStatus.OK] * 20


def test_an_office_behind_one_address_refreshes_without_a_limit(rates):
    from config.settings import REST_FRAMEWORK

    rates(**REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])

    assert set(statuses(150, "/api/token/refresh/", {"refresh": "x"})) == {THROUGH}


def test_each_service_that_introspects_has_a_rate_of_its_own(rates, options):
    clients = {name: [digest(SECRET)] for name in ("billing", "shop")}
    options(INTROSPECTION_CLIENTS=clients)
    rates(introspect="2/min")

    def ask(name):
        return knock(
            "/api/token/introspect/", {"token": "any"}, HTTP_AUTHORIZATION=basic(name)
        ).status_code

    assert [ask("billing") for _ in range(3)] == [200, 200, HELD]
    assert ask("shop") == 200
