"""When and how the tokens are refreshed: once, in time, and without losing the session."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
import token_blacklist_client
from token_blacklist_client import ATTEMPTS, ApiError, Client, SignedOut

from .conftest import PASSWORD, SITE

THREADS = 20


def generation(token):
    """Return how often the session was refreshed, which the server writes into the jti."""
    payload = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return int(payload["jti"].partition(".")[2] or 0)


@pytest.fixture
def resumed(api, network, saved):
    """A client that has the refresh token only, as after a restart."""
    stored = api.tokens.refresh_token
    saved.clear()
    with Client(SITE, refresh_token=stored, save=saved.append, transport=network) as client:
        yield client


def test_twenty_threads_refresh_once(resumed, saved, email):
    with ThreadPoolExecutor(THREADS) as pool:
        users = list(pool.map(lambda _number: resumed.me(), range(THREADS)))

    assert [user["email"] for user in users] == [email] * THREADS
    assert [generation(token) for token in saved] == [1]


def test_twenty_threads_with_a_refused_token_refresh_once(api, network):
    network.spoils = api.access_token().__eq__

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _number: api.get("/api/me/"), range(THREADS)))

    assert len(network.refreshes) == 1


def test_twenty_requests_of_an_async_client_refresh_once(resumed, network):
    async def ask():
        async with httpx.AsyncClient(base_url=SITE, auth=resumed.tokens) as http:
            return await asyncio.gather(*(http.get("/api/me/") for _ in range(THREADS)))

    answers = asyncio.run(ask())

    assert {answer.status_code for answer in answers} == {200}
    assert len(network.refreshes) == 1


def test_an_async_client_refreshes_after_a_refused_token(api, network):
    api.tokens._access = replace(api.tokens._access, token="spoiled")

    async def ask():
        async with httpx.AsyncClient(base_url=SITE, auth=api.tokens) as http:
            return await http.get("/api/me/")

    assert asyncio.run(ask()).status_code == 200
    assert len(network.refreshes) == 1


@pytest.mark.parametrize(("seconds", "refreshes"), [(265, 0), (275, 1)])
def test_the_token_is_refreshed_shortly_before_its_lifetime_ends(
    api, network, monkeypatch, seconds, refreshes
):
    now = time.monotonic()
    monkeypatch.setattr(token_blacklist_client.time, "monotonic", lambda: now + seconds)

    api.me()

    assert len(network.refreshes) == refreshes


def test_the_lifetime_does_not_depend_on_the_clock(email, network, monkeypatch):
    in_an_hour = time.time() + 3600
    monkeypatch.setattr(token_blacklist_client.time, "time", lambda: in_an_hour)

    with Client(SITE, transport=network) as client:
        client.sign_in(email, PASSWORD)
        client.me()

    assert network.refreshes == []


def test_a_refused_token_is_refreshed_once_and_the_request_repeated(api, network):
    network.spoils = api.access_token().__eq__

    answer = api.patch("/api/me/", json={"name": "Ada"})

    assert answer.json()["name"] == "Ada"
    assert network.log == ["/api/me/", "/api/token/refresh/", "/api/me/"]


def test_a_token_that_stays_refused_is_not_refreshed_again(api, network):
    network.spoils = bool

    with pytest.raises(ApiError) as caught:
        api.me()

    assert caught.value.code == "token_not_valid"
    assert len(network.refreshes) == 1


def test_a_request_for_a_recent_sign_in_is_not_refreshed(api, network, monkeypatch):
    refusal = {"detail": "A more recent sign-in is required.", "code": "reauthentication_required"}
    answer = httpx.MockTransport(lambda request: httpx.Response(401, json=refusal))
    monkeypatch.setattr(network, "real", answer)

    with pytest.raises(ApiError) as caught:
        api.end_other_sessions()

    assert caught.value.code == "reauthentication_required"
    assert network.log == ["/api/sessions/"]
    assert api.tokens.refresh_token is not None


def test_two_lost_responses_cost_nothing(resumed, network, saved, email):
    network.lose = 2

    assert resumed.me()["email"] == email

    assert [generation(token) for token in saved] == [1]
    assert len({request.content for request in network.refreshes}) == 1


def test_an_outage_at_the_refresh_is_waited_out(resumed, network, monkeypatch):
    real, outage = network.real, [503, 500]

    def answer(request):
        if outage and request.url.path == "/api/token/refresh/":
            return httpx.Response(outage.pop())
        return real.handle_request(request)

    monkeypatch.setattr(network, "real", httpx.MockTransport(answer))

    assert resumed.me()
    assert outage == []


def test_without_any_response_the_tokens_are_kept(resumed, network, saved):
    network.lose = 3

    with pytest.raises(httpx.ReadError):
        resumed.me()

    assert saved == []
    assert resumed.me()


def test_all_attempts_begin_within_the_grace_period(resumed, network):
    network.lose = 2
    resumed.me()

    timeouts = [request.extensions["timeout"]["read"] for request in network.refreshes[:-1]]

    assert sum(timeouts) + sum(wait or 0 for _timeout, wait in ATTEMPTS) < 10


def test_a_session_that_was_ended_elsewhere_is_signed_out(api, phone, saved):
    phone.end_other_sessions()

    with pytest.raises(SignedOut, match="Your session has ended"):
        api.me()

    assert saved[-1] is None
    assert api.tokens.refresh_token is None


def test_the_new_refresh_token_is_saved_before_the_next_request(api, network):
    stored = api.tokens.refresh_token
    save = lambda token: network.log.append("saved")  # noqa: E731
    with Client(SITE, refresh_token=stored, save=save, transport=network) as client:
        client.me()

    assert network.log == ["/api/token/refresh/", "saved", "/api/me/"]


def test_a_token_that_could_not_be_saved_is_saved_by_the_next_request(api, network):
    full, saved = [OSError("No space left on device")], []

    def save(token):
        if full:
            raise full.pop()
        saved.append(token)

    stored = api.tokens.refresh_token
    with Client(SITE, refresh_token=stored, save=save, transport=network) as client:
        with pytest.raises(OSError, match="No space"):
            client.me()
        client.me()

    assert [generation(token) for token in saved] == [2]


def test_a_request_never_continues_as_another_user(api, network, monkeypatch):
    real = network.real

    def answer(request):
        if request.url.path == "/api/me/":
            api.sign_in("demo@example.com", "demo-password")
            return httpx.Response(401, json={"code": "token_not_valid"})
        return real.handle_request(request)

    monkeypatch.setattr(network, "real", httpx.MockTransport(answer))

    with pytest.raises(SignedOut):
        api.patch("/api/me/", json={"name": "Ada"})

    assert network.log.count("/api/me/") == 1


@pytest.mark.parametrize("url", ["http://other.example/", SITE.replace("http:", "https:")])
def test_another_origin_does_not_get_the_token(api, network, monkeypatch, url):
    monkeypatch.setattr(network, "real", httpx.MockTransport(lambda request: httpx.Response(200)))

    api.get(url)

    (request,) = network.requests
    assert "Authorization" not in request.headers


def test_a_client_that_has_not_signed_in_sends_nothing(network):
    with Client(SITE, transport=network) as client, pytest.raises(SignedOut):
        client.me()

    assert network.log == []


def test_a_public_page_needs_no_session(network):
    with Client(SITE, transport=network) as client:
        assert client.request("GET", "/health/live/", auth=None).is_success
