"""The session of the admin, which is Django's own, ends with the user's other sessions."""

from http import HTTPStatus

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, OutstandingTokenFactory, UserFactory
from tests.token_blacklist.test_budgets import statements
from token_blacklist.models import OutstandingToken
from token_blacklist.signals import signed_out_everywhere

END = "/admin/token_blacklist/outstandingtoken/end/"


@pytest.fixture
def staff(db):
    return UserFactory(admin=True)


@pytest.fixture
def browser(staff):
    """A browser that is signed in to the admin."""
    browser = Client()
    answer = browser.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert answer.status_code == HTTPStatus.FOUND
    assert is_in(browser)
    return browser


@pytest.fixture
def support(db):
    support = Client()
    support.force_login(UserFactory(admin=True))
    return support


def is_in(browser):
    return browser.get("/admin/").status_code == HTTPStatus.OK


def by_the_api(staff, support):
    device = Device(staff)
    device.log_in()
    assert device.http.delete("/api/sessions/", **device.bearer).json() == {"ended": 0}


def by_support(staff, support):
    answer = support.post(END, {"users": staff.pk, "confirmed": "yes"})
    assert answer.status_code == HTTPStatus.FOUND


def by_command(staff, support):
    call_command("endsessions", "--user", staff.email)


def everybody_by_command(staff, support):
    call_command("endsessions", "--all")


def after_a_restore(staff, support):
    call_command("endsessions", "--before", "2100-01-01T00:00Z")


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
    everybody_by_command,
    after_a_restore,
    deactivated_for_a_while,
    deactivated_for_a_while_by_that_field,
    by_a_new_password,
]


@pytest.mark.parametrize("sign_out", WAYS, ids=lambda way: way.__name__)
def test_it_ends_with_a_sign_out_everywhere(staff, browser, support, sign_out):
    sign_out(staff, support)

    assert not is_in(browser)
    browser.force_login(User.objects.get(pk=staff.pk))
    assert is_in(browser)


@pytest.mark.parametrize(
    "conditions",
    [
        {"users": "{staff}", "ip_address": "192.0.2.1"},
        {"users": "{staff}", "since": "2020-01-01T00:00"},
        {"sessions": "{session}"},
        {"users": "{other}"},
    ],
)
def test_it_goes_on_where_some_sessions_are_ended(staff, browser, support, conditions):
    session = OutstandingTokenFactory(user=staff, ip_address="192.0.2.1")
    ids = {"staff": staff.pk, "session": session.pk, "other": UserFactory().pk}
    form = {name: value.format(**ids) for name, value in conditions.items()}

    answer = support.post(END, {**form, "confirmed": "yes"})

    assert answer.status_code == HTTPStatus.FOUND
    assert is_in(browser)


@pytest.mark.parametrize("arguments", [["--ip", "192.0.2.1"], ["--all", "--dry-run"]])
def test_it_goes_on_where_the_command_ends_none_of_the_persons(browser, arguments):
    call_command("endsessions", *arguments)

    assert is_in(browser)


def test_it_costs_a_statement_more_only_for_a_user_who_has_had_one(user, staff, browser):
    end = "/api/sessions/?all=true"
    for who, expected in (
        (user, ["SELECT", "INSERT"]),
        (staff, ["SELECT", "UPDATE", "INSERT"]),
    ):
        device = Device(who)
        device.log_in()
        with statements(*expected):
            assert device.http.delete(end, **device.bearer).json() == {"ended": 1}


def test_it_costs_no_statement_to_look(staff, browser):
    with statements("SELECT", "SELECT"):  # the session, the user
        assert browser.get("/admin/jsi18n/").status_code == HTTPStatus.OK


def test_support_ends_it_where_there_is_no_other(staff, browser, support):
    page = support.get(f"/admin/accounts/user/{staff.pk}/change/")
    assert f"{END}?users={staff.pk}" in page.text
    asked = support.get(END, {"users": staff.pk})
    assert "This only signs the user out of the admin." in asked.text
    done = support.post(END, {"users": staff.pk, "confirmed": "yes"}, follow=True)
    assert "Signed out of the admin." in done.text
    assert "disabled" not in asked.text.partition("tb-danger")[2].partition("</button>")[0]


def test_a_receiver_that_raises_undoes_it_all(staff, browser, support):
    session = OutstandingTokenFactory(user=staff)

    def refuse(**kwargs):
        raise RuntimeError("no")

    signed_out_everywhere.connect(refuse)
    try:
        with pytest.raises(RuntimeError, match="no"):
            by_support(staff, support)
    finally:
        signed_out_everywhere.disconnect(refuse)

    assert is_in(browser)
    assert not hasattr(OutstandingToken.objects.get(pk=session.pk), "blacklistedtoken")


def test_a_former_key_keeps_the_session_and_the_link_to_a_new_password(staff, browser, settings):
    link = default_token_generator.make_token(staff)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-key-" * 8

    assert is_in(browser)
    assert PasswordResetTokenGenerator().check_token(staff, link)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_in(browser)  # the request before signed it with the new key
