"""Sign-ins to the admin are sessions: they are listed, and revoked with the others."""

from http import HTTPStatus

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from tests.support.statements import statements
from token_blacklist.models import OutstandingToken


@pytest.fixture
def staff(db):
    return UserFactory(admin=True)


@pytest.fixture
def browser(staff):
    """A browser that is signed in to the admin."""
    browser = Client()
    answer = sign_in(browser, staff)
    assert answer.headers["Location"] == "/admin/"
    assert is_in(browser)
    return browser


@pytest.fixture
def support(db):
    support = Client()
    support.force_login(UserFactory(admin=True))
    return support


def sign_in(browser, staff):
    """Sign in on the page to which the admin redirects."""
    page = browser.get("/admin/", follow=True).redirect_chain[-1][0]
    user = {"login": staff.email, "username": staff.email}  # of our page, of the admin's own
    return browser.post(page, {**user, "password": PASSWORD, "remember": "on"})


def is_in(browser):
    return browser.get("/admin/").status_code == HTTPStatus.OK


def by_the_api(staff, support):
    device = Device(staff)
    device.log_in()
    assert device.http.delete("/api/sessions/", **device.bearer).json() == {"ended": 1}


def by_support(staff, support):
    answer = support.post(
        f"/admin/token_blacklist/outstandingtoken/end/?user={staff.pk}", {"confirmed": "yes"}
    )
    assert answer.status_code == HTTPStatus.FOUND


def by_command(staff, support):
    call_command("endsessions", "--user", staff.email)


def deactivated_for_a_while(staff, support):
    staff.is_active = False
    staff.save()
    staff.is_active = True
    staff.save()


def deactivated_for_a_while_by_that_field(staff, support):
    for is_active in (False, True):
        staff = User.objects.get(pk=staff.pk)
        staff.is_active = is_active
        staff.save(update_fields=["is_active"])


def by_a_new_password(staff, support):
    staff.set_password("a new password")
    staff.save()


WAYS = [
    by_the_api,
    by_support,
    by_command,
    deactivated_for_a_while,
    deactivated_for_a_while_by_that_field,
    by_a_new_password,
]


@pytest.mark.parametrize("sign_out", WAYS, ids=lambda way: way.__name__)
def test_an_admin_session_ends_with_every_way_to_sign_out_everywhere(
    staff, browser, support, sign_out
):
    sign_out(staff, support)

    assert not is_in(browser)
    browser.force_login(User.objects.get(pk=staff.pk))
    assert is_in(browser)


def test_an_admin_page_reads_the_django_session_and_sends_one_select_more(browser):
    with statements("SELECT", "SELECT"):
        assert browser.get("/admin/jsi18n/").status_code == HTTPStatus.OK


def test_signing_out_of_the_admin_revokes_its_session(staff, browser):
    (row,) = OutstandingToken.objects.filter(user=staff)

    browser.post("/admin/logout/")

    assert row.blacklistedtoken.reason == "logout"
    assert row.blacklistedtoken.blacklisted_by == staff


@pytest.mark.pages
def test_a_password_change_keeps_its_browser_signed_in_to_the_admin_and_no_other(staff, browser):
    attacker = Client()
    attacker.force_login(staff)
    new = "a new battery staple"
    page = browser.get("/admin/password_change/").headers["Location"]

    done = browser.post(page, {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert done.status_code == HTTPStatus.FOUND
    assert is_in(browser)
    assert not is_in(attacker)
    assert OutstandingToken.objects.live().filter(user=staff).count() == 1


def test_setting_the_own_password_on_the_user_page_keeps_the_browser_signed_in(staff, browser):
    new = "a new battery staple"
    page = f"/admin/accounts/user/{staff.pk}/password/"

    answer = browser.post(page, {"password1": new, "password2": new, "usable_password": "true"})

    assert answer.status_code == HTTPStatus.FOUND
    assert is_in(browser)


def test_an_admin_session_is_listed_for_its_user_and_for_support(staff, browser, support):
    device = Device(staff)
    device.log_in()

    row = OutstandingToken.objects.filter(user=staff).earliest("pk")
    sessions = device.http.get("/api/sessions/", **device.bearer).json()
    page = support.get(f"/admin/token_blacklist/outstandingtoken/{row.pk}/change/")

    assert row.session_id in {session["id"] for session in sessions}
    assert row.session_id in page.text


def test_secret_key_fallbacks_keep_admin_sessions_and_password_reset_links_valid(
    staff, browser, settings
):
    link = default_token_generator.make_token(staff)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-key-" * 8

    assert is_in(browser)
    assert PasswordResetTokenGenerator().check_token(staff, link)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_in(browser)  # the former request signed it with the new key
