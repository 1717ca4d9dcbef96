"""Redirects and messages of the sign-in and account pages."""

import re

import pytest

from tests.support.factories import PASSWORD
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.django_db

FOREIGN = [
    "//evil.example",
    r"/\evil.example",
    r"\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "account/",
    "",
]


@pytest.mark.parametrize("page", ["/login/", "/signup/"])
def test_the_links_between_sign_in_and_sign_up_keep_next(client, page):
    answer = client.get(page, {"next": "/reports/?year=2026&of=all"})

    assert re.search(r'/(login|signup)/\?next=%2Freports%2F%3Fyear%3D2026%26of%3Dall"', answer.text)


@pytest.mark.parametrize("wanted", FOREIGN)
def test_signing_in_never_redirects_to_another_site(client, user, wanted):
    who = {"login": user.email, "password": PASSWORD}

    answer = client.post("/login/", {**who, "next": wanted})

    assert answer.url == "/account/"
    assert client.get("/login/", {"next": wanted}).url == "/account/"


def test_signing_up_never_redirects_to_another_site(client):
    form = {"email": "ada@example.com", "password1": PASSWORD, "next": "//evil.example"}

    assert client.post("/signup/", form).url == "/account/"


def test_a_page_with_a_revoked_session_redirects_to_sign_in_with_a_message(client, user):
    client.post("/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/account/").status_code == 200
    BlacklistedToken.objects.create(token=OutstandingToken.objects.get())

    answer = client.get("/2fa/", follow=True)

    assert answer.redirect_chain == [("/login/?next=/2fa/&signed_out=over", 302)]
    assert "Your session has ended." in answer.text
    assert client.get("/2fa/").url == "/login/?next=/2fa/"  # once


def test_an_anonymous_visitor_gets_no_message_about_an_ended_session(client, user):
    assert client.get("/account/").url == "/login/?next=/account/"
    client.post("/login/", {"login": user.email, "password": PASSWORD})
    assert client.post("/logout/").url == "/login/?signed_out=here"
    assert client.get("/account/").url == "/login/?next=/account/"


@pytest.mark.parametrize("cookie", ["sessionid", "refresh_token"])
def test_one_missing_cookie_causes_no_redirect_loop(client, user, cookie):
    client.post("/login/", {"login": user.email, "password": PASSWORD})
    for name in {"sessionid", "refresh_token"} - {cookie}:
        del client.cookies[name]

    account = client.get("/account/", follow=True)
    login = client.get("/login/", {"next": "/account/"}, follow=True)

    here = "/account/" if cookie == "sessionid" else "/login/"
    assert {each.request["PATH_INFO"] for each in (account, login)} == {here}
