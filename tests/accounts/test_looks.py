"""Each page of django-allauth has the site's layout, in each state of its user."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.urls import get_resolver, reverse

from tests.support.factories import PASSWORD

pytestmark = pytest.mark.django_db

KEY_OF_ANOTHER_SITE = {"pk": 0, "key": "no-such-key", "uidb36": "1"}
NO_PAGES = {"mfa_download_recovery_codes", "mfa_login_webauthn"}  # these return text and JSON
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*(?:src=|json))")


def addresses() -> list[str]:
    """Return the address of each page of django-allauth."""
    names = {
        name
        for (name, _patterns) in get_resolver().reverse_dict.lists()
        if isinstance(name, str) and re.match("account_|mfa_|socialaccount_|dummy_", name)
    } - NO_PAGES
    return sorted(map(address, names))


def address(name: str) -> str:
    (possible, *_rest) = get_resolver().reverse_dict.getlist(name)
    parameters = possible[0][0][1]
    return reverse(name, kwargs={each: KEY_OF_ANOTHER_SITE[each] for each in parameters})


def verifies_by_code() -> bool:
    return settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED


def faults(client: Any) -> list[str]:
    """Return what is missing or wrong on each page, with the page's address."""
    found = []
    for path in addresses():
        if verifies_by_code() and path == address("account_confirm_email"):
            continue  # with codes there are no links; outside of the tests the URL does not exist
        answer = client.get(path, follow=True)
        html = answer.text if "html" in answer.headers["Content-Type"] else ""
        needed = ("css/site.css", "theme.css", '<a class="brand"', 'id="main"')
        found += [f"{path}: no {each}" for each in needed if each not in html]
        if inline := INLINE.search(html.partition("<header>")[2]):
            found.append(f"{path}: {inline[0]}")
        if html.count("<h1") != 1:
            found.append(f"{path}: {html.count('<h1')} headings")
    return found


@pytest.fixture
def secret(user: Any) -> str:
    """The user's authenticator app secret; the user has recovery codes too, but no passkey."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def sign_in(client: Any, user: Any) -> Any:
    return client.post("/login/", {"login": user.email, "password": PASSWORD})


def test_the_tested_pages_include_each_part_of_allauth():
    assert {"/login/", "/2fa/", "/3rdparty/", "/dummy/login/", "/confirm-email/"} < set(addresses())


def test_pages_for_an_anonymous_visitor_have_the_sites_layout(client):
    assert faults(client) == []


def confirm(client: Any) -> None:
    answer = client.post("/reauthenticate/", {"password": PASSWORD, "next": "/2fa/"})
    assert answer.url == "/2fa/"


def test_pages_for_a_user_with_every_factor_and_account_have_the_sites_layout(client, user, secret):
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    EmailAddress.objects.create(user=user, email="new@example.com")
    SocialAccount.objects.create(user=user, provider="dummy", uid="1")
    key = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "My laptop", "credential": {}}
    )
    client.force_login(user)
    confirm(client)

    assert 'id="recovery_codes"' in client.get("/2fa/recovery-codes/").text
    assert "My laptop" in client.get("/2fa/webauthn/").text
    assert 'value="My laptop"' in client.get(f"/2fa/webauthn/keys/{key.pk}/edit/").text
    key.delete()  # the browser could not be asked for this fake key
    assert faults(client) == []
    page = client.get("/account/").text
    assert "Verified" in page
    assert "10 left" in page


def test_pages_before_the_second_factor_have_the_sites_layout(client, user, secret):
    assert sign_in(client, user).url == "/2fa/authenticate/"

    assert faults(client) == []


def test_the_page_that_completes_a_social_sign_up_has_the_sites_layout(client):
    started = client.post("/dummy/login/")
    client.post(started.url, {"id": "7", "first_name": "Ada"})

    assert client.get("/3rdparty/signup/").status_code == 200
    assert faults(client) == []


def test_errors_are_shown_at_the_field_or_at_the_button(client, user):
    field = client.post("/signup/", {"email": "no address", "password1": "password"}).text
    form = sign_in(client, type("Stranger", (), {"email": "nobody@example.com"})).text

    assert 'aria-invalid="true"' in field
    assert 'id="id_email_error"' in field
    assert re.search(r'aria-describedby="[^"]*id_email_error', field)
    assert re.search(r'<div class="alert" role="alert"><ul class="errorlist[^>]*><li>', form)
    assert "All rules for passwords" in field  # instead of the rules, which the errors repeat
