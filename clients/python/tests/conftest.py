"""A running server at BASE_URL, another with rate limits at LIMITED_URL, and new users."""

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from token_blacklist_client import Client

SITE = os.environ["BASE_URL"]
LIMITED = os.environ["LIMITED_URL"]
PASSWORD = "a long and good password"
numbers = itertools.count()


@dataclass
class Network(httpx.BaseTransport):
    """The real network, which records requests and can lose responses and spoil tokens."""

    lose: int = 0  # so many responses to refreshes, after the server has sent them
    spoils: Callable[[str], bool] = lambda token: False  # whether the server gets another token
    refreshes: list[httpx.Request] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    real: httpx.BaseTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.log.append(request.url.path)
        if self.spoils(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            sent = request.headers.copy()
            sent["Authorization"] = "Bearer spoiled"
            url, body, options = request.url, request.read(), request.extensions
            request = httpx.Request(
                request.method, url, headers=sent, content=body, extensions=options
            )
        response = self.real.handle_request(request)
        if request.url.path == "/api/token/refresh/":
            self.refreshes.append(request)
            if self.lose:
                self.lose -= 1
                response.read()
                raise httpx.ReadError("lost", request=request)
        return response

    def close(self) -> None:
        self.real.close()


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def saved():
    """The refresh tokens that the client has saved, and None for each deletion."""
    return []


@pytest.fixture
def email():
    """Return the address of a new user, whose password is PASSWORD."""
    address = f"user{next(numbers)}-{os.getpid()}@example.com"
    body = {"email": address, "password": PASSWORD}
    with httpx.Client(base_url=SITE) as http:
        http.post("/_allauth/app/v1/auth/signup", json=body).raise_for_status()
    return address


@pytest.fixture
def api(email, network, saved):
    """A client that has signed in, with the network in between."""
    with Client(SITE, save=saved.append, transport=network) as client:
        client.sign_in(email, PASSWORD)
        network.log.clear()
        network.requests.clear()
        yield client


@pytest.fixture
def phone(email):
    """Another session of the same user."""
    with Client(SITE, headers={"User-Agent": "Acme/1.0 (Android 14; Pixel 8)"}) as client:
        client.sign_in(email, PASSWORD)
        yield client


@pytest.fixture(scope="session")
def description():
    """The components of the server's OpenAPI description."""
    path = Path(os.environ["SCHEMA"])
    return json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]
