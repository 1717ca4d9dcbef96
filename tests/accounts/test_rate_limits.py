"""The rate limits: what they count, at each way to sign in, and without the cache."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as NoAnswer

from config.settings import ACCOUNT_RATE_LIMITS
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.parts import only_with
from tests.support.redis import redis_url
from tests.support.server import call, database, environment, gunicorn, prepare

JSON = "application/json"
APP = "/_allauth/app/v1/auth/login"
TRIED, LIMITED = "tried", "limited"


@pytest.fixture
def limits(settings):
    """Set rates: `limits(login_failed="5/5m/key")`."""

    def change(**rates):
        cache.clear()
        settings.ACCOUNT_RATE_LIMITS = {**dict.fromkeys(ACCOUNT_RATE_LIMITS, ""), **rates}

    return change


def at_the_api(client, email, **headers):
    answer = client.post("/api/token/", {"email": email, "password": "guess"}, JSON, **headers)
    return {401: TRIED, 429: LIMITED}[answer.status_code]


def at_the_sliding_api(client, email, **headers):
    body = {"email": email, "password": "guess"}
    answer = client.post("/api/token/sliding/", body, JSON, **headers)
    return {401: TRIED, 429: LIMITED}[answer.status_code]


def at_headless(client, email, **headers):
    answer = client.post(APP, {"email": email, "password": "guess"}, JSON, **headers)
    assert answer.status_code in {400, 429}
    codes = {error["code"] for error in answer.json().get("errors", ())}
    return TRIED if codes == {"email_password_mismatch"} else LIMITED


def at_the_page(client, email, **headers):
    answer = client.post("/login/", {"login": email, "password": "guess"}, **headers)
    assert answer.status_code in {200, 429}
    return TRIED if "not correct" in answer.text else LIMITED


SIGN_IN_WAYS = [
    at_the_api,
    at_headless,
    *only_with("sliding", at_the_sliding_api),
    *only_with("pages", at_the_page),
]


def test_all_ways_to_sign_in_share_one_rate_limit_per_account(client, user, limits):
    ways = len(SIGN_IN_WAYS)
    limits(login_failed=f"{ways}/5m/key")

    assert [sign_in(client, user.email) for sign_in in SIGN_IN_WAYS] == [TRIED] * ways
    assert [sign_in(client, user.email) for sign_in in SIGN_IN_WAYS] == [LIMITED] * ways
    assert [sign_in(client, "other@example.com") for sign_in in SIGN_IN_WAYS] == [TRIED] * ways


def test_the_right_password_is_429_while_the_account_is_rate_limited(client, user, limits):
    limits(login_failed="1/5m/key")
    at_the_api(client, user.email)

    answer = Device(user).log_in()

    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.json()["code"] == "throttled"
    assert answer.headers["Retry-After"] == "300"


def test_a_successful_sign_in_is_not_counted(user, limits):
    limits(login_failed="1/5m/key")

    assert [Device(user).log_in().status_code for _ in range(3)] == [HTTPStatus.OK] * 3


@pytest.mark.parametrize("sign_in", SIGN_IN_WAYS)
def test_the_limit_per_account_ignores_the_spelling_of_address_and_host(
    client, db, limits, settings, sign_in
):
    settings.ALLOWED_HOSTS = ["testserver", "www.example.com"]
    limits(login_failed="1/5m/key")
    UserFactory(email="ada@example.com")
    assert sign_in(client, "ada@example.com") == TRIED

    for email in ("ADA@example.com", " ada@Example.com ", "\uff41da@example.com"):
        assert sign_in(client, email) == LIMITED
    for host in ("testserver:8001", "testserver:8002", "www.example.com"):
        assert sign_in(client, "ada@example.com", HTTP_HOST=host) == LIMITED


CLIENTS = {
    "an address": ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
    "a /64": ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
    "IPv4 as IPv6": ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
}


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("sign_in", SIGN_IN_WAYS)
def test_the_limit_per_client_uses_the_address_that_sessions_record(
    client, db, limits, settings, sign_in, kind
):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    limits(login_failed="1/m/ip")

    def try_from(number, address):
        forwarded = f"198.51.100.{number}, {address}"  # the first is the client's own claim
        where = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
        return sign_in(client, f"nobody{number}@example.com", **where)

    assert [try_from(n, it) for n, it in enumerate(CLIENTS[kind])] == [TRIED, LIMITED, TRIED]


def test_without_a_forwarded_address_the_proxy_counts_as_the_client(client, db, limits, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    limits(login_failed="1/m/ip")

    got = [
        at_the_api(client, f"{n}@example.com", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=hop)
        for n, hop in enumerate(["unknown", "_x"])
    ]

    assert got == [TRIED, LIMITED]


def test_the_default_limits_allow_a_users_normal_use(user, limits):
    limits(**ACCOUNT_RATE_LIMITS)
    device = Device(user)

    assert device.log_in().status_code == HTTPStatus.OK
    assert {device.refresh().status_code for _ in range(40)} == {HTTPStatus.OK}
    assert device.log_out().status_code == HTTPStatus.OK


@pytest.fixture(params=[NoConnection, NoAnswer, ReadOnlyError])
def no_cache(request, limits, monkeypatch):
    """A cache server that fails, with each error that redis-py raises."""
    limits(**{**ACCOUNT_RATE_LIMITS, "refresh": "1/d/ip"})

    def fail(*args, **kwargs):
        raise request.param("secret-host refused")

    for method in ("add", "get", "set", "delete"):
        monkeypatch.setattr(f"django.core.cache.backends.locmem.LocMemCache.{method}", fail)


def test_without_the_cache_sign_ins_are_503_and_sessions_continue(device, phone, user, no_cache):
    client = Client(raise_request_exception=False)
    for path in ("/api/token/", *only_with("sliding", "/api/token/sliding/"), APP):
        answer = client.post(path, {"email": user.email, "password": PASSWORD}, JSON)
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "unavailable" in answer.text
        assert answer.headers["Retry-After"] == "1"
        assert "secret-host" not in answer.text
    assert device.me().status_code == HTTPStatus.OK
    assert [device.refresh().status_code for _ in range(3)] == [HTTPStatus.OK] * 3
    assert device.log_out().status_code == HTTPStatus.OK
    assert phone.me().status_code == HTTPStatus.OK


@pytest.mark.pages
@pytest.mark.parametrize("path", ["/login/", "/password/reset/"])
def test_without_the_cache_a_sign_in_page_is_503_with_a_message(user, no_cache, path):
    browser = Client(raise_request_exception=False, headers={"accept": "text/html"})
    form = {"login": user.email, "email": user.email, "password": PASSWORD}

    assert browser.get(path).status_code == HTTPStatus.OK
    answer = browser.post(path, form)

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "The site is busy or restarting." in answer.text
    assert "secret-host" not in answer.text


class Guesser:
    """A client that tries passwords at one of two servers, each time from another address."""

    def __init__(self, servers, email):
        self.servers, self.email = servers, email

    def __call__(self, number):
        url = f"{self.servers[number % 2].url}/api/token/"
        headers = {"X-Forwarded-For": f"198.51.{number}.1"}
        status, _body = call(url, {"email": self.email, "password": "guess"}, headers=headers)
        return {401: TRIED, 429: LIMITED}[status]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_concurrent_guesses_at_two_servers_do_not_exceed_the_limit(tmp_path):
    with ExitStack() as stack:
        url = stack.enter_context(database(tmp_path))
        shared = environment(
            tmp_path,
            DATABASE_URL=url,
            CACHE_URL=stack.enter_context(redis_url()),
            RATE_LIMITS="True",
            NUM_PROXIES="1",
        )
        prepare(shared)
        servers = [stack.enter_context(gunicorn(shared, workers=1)) for _ in range(2)]
        guess = Guesser(servers, "demo@example.com")
        with ThreadPoolExecutor(8) as pool:
            got = Counter(pool.map(guess, range(40)))
        others = Guesser(servers, "admin@example.com")(0)

    assert got == {TRIED: 5, LIMITED: 35}
    assert others == TRIED
