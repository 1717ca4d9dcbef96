"""Accounts in a browser: sign-up, second factor, passkey, social account, reset, new address."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from accounts.models import User, verify
from tests.support.codes import code_in, path_in, totp
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import OutstandingToken

pytestmark = pytest.mark.browser

NEW_PASSWORD = "a new and long password"
REFUSED = pytest.mark.expects("status of 40[01]")


@pytest.fixture(autouse=True)
def no_used_codes():
    cache.clear()


@pytest.fixture
def owner(user):
    verify(user)
    return user


@pytest.fixture
def phone(browsers):
    return browsers(user_agent="Mozilla/5.0 (iPhone) Version/17.0 Safari/604.1").new_page()


def send(page, **fields):
    """Fill in the form that has these fields, and send it by its button."""
    form = page.locator("main form").filter(has=page.locator(f"[name={next(iter(fields))}]"))
    for name, value in fields.items():
        field = form.locator(f"[name={name}]:not([type=hidden])")
        if isinstance(value, bool):
            field.set_checked(value)
        else:
            field.fill(value)
    form.locator("[type=submit]").first.click()


def sign_in(page, user, password=PASSWORD):
    page.goto("/login/")
    send(page, login=user.email, password=password)


def is_at(page, path):
    expect(page).to_have_url(re.compile(rf"^http://[^/]+{re.escape(path)}(\?.*)?$"))


def sees_the_account(page):
    """Wait for what the page loads from the API, which proves that its tokens work."""
    is_at(page, "/account/")
    expect(page.locator("#sessions > li").first).to_be_visible()


def sign_out(page):
    page.locator("#sign-out button").click()
    is_at(page, "/login/")


def open_from_the_account(page, path):
    """Follow the account page's link."""
    page.goto("/account/")
    page.locator(f"main a[href='{path}']").click()


def confirm(page):
    """Enter the password again, as changes of how to sign in require."""
    is_at(page, "/reauthenticate/")
    send(page, password=PASSWORD)


def messages_of(outbox, to):
    return [message for message in outbox if message.to == [to]]


def test_a_sign_up_is_completed_by_the_code_of_the_e_mail(page, db, verify_by_code, mailoutbox):
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Sign up").click()
    send(page, email="ada@example.com", password1=PASSWORD, name="Ada")
    is_at(page, "/confirm-email/")
    assert not OutstandingToken.objects.exists()

    send(page, code="WRONG")
    expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    send(page, code=code_in(mailoutbox[0]))

    sees_the_account(page)
    expect(page.get_by_label("Name")).to_have_value("Ada")
    expect(page.get_by_role("main")).to_contain_text("ada@example.com")
    (session,) = OutstandingToken.objects.all()
    assert session.user.email == "ada@example.com"


def test_a_second_factor_set_up_on_one_device_is_needed_on_the_next(
    page, phone, browsers, owner, mailoutbox
):
    sign_in(page, owner)
    sees_the_account(page)
    open_from_the_account(page, "/2fa/")
    page.locator("main a[href='/2fa/totp/activate/']").click()
    confirm(page)
    secret = page.locator("#authenticator_secret").input_value()
    send(page, code=totp(secret))
    is_at(page, "/2fa/recovery-codes/")
    recovery_code = page.locator("#recovery_codes").input_value().split()[0]
    (message,) = mailoutbox
    assert "An authenticator app was added" in message.subject

    sign_in(phone, owner)
    is_at(phone, "/2fa/authenticate/")
    assert OutstandingToken.objects.count() == 1
    send(phone, code="000000")
    expect(phone.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    send(phone, code=totp(secret))
    sees_the_account(phone)

    tablet = browsers().new_page()
    sign_in(tablet, owner)
    send(tablet, code=recovery_code)
    sees_the_account(tablet)
    assert OutstandingToken.objects.count() == 3
    sign_out(tablet)
    sign_in(tablet, owner)
    send(tablet, code=recovery_code)  # a second time
    expect(tablet.locator("[name=code]")).to_have_attribute("aria-invalid", "true")


def test_a_passkey_can_be_added_and_signs_in_without_a_password(page, owner, mailoutbox):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, owner)
    sees_the_account(page)

    open_from_the_account(page, "/2fa/webauthn/")
    page.locator("main a[href='/2fa/webauthn/add/']").click()
    confirm(page)
    page.locator("[name=name]").fill("My laptop")
    page.locator("[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    is_at(page, "/2fa/recovery-codes/")
    (message,) = mailoutbox
    assert "A passkey was added" in message.subject
    sign_out(page)
    page.locator("#passkey_login").click()

    sees_the_account(page)
    assert OutstandingToken.objects.live().get().user == owner


def enter_by_the_dummy_provider(page, **facts):
    """Follow the current page's link to the provider, and sign in there."""
    page.get_by_role("main").get_by_role("button", name="Dummy").click()
    is_at(page, "/dummy/authenticate/")
    send(page, **facts)


def test_a_social_account_signs_up_and_signs_in(page, phone, db):
    facts = {"id": "7", "email": "ada@example.com", "first_name": "Ada"}
    page.goto("/login/")
    enter_by_the_dummy_provider(page, **facts, email_verified=True)
    sees_the_account(page)
    expect(page.get_by_label("Name")).to_have_value("Ada")

    phone.goto("/login/")
    enter_by_the_dummy_provider(phone, id="7")

    sees_the_account(phone)
    assert {row.user.email for row in OutstandingToken.objects.all()} == {"ada@example.com"}
    assert OutstandingToken.objects.count() == 2


@REFUSED
def test_a_forgotten_password_is_replaced_by_the_link_and_ends_the_other_sessions(
    page, phone, owner, mailoutbox
):
    sign_in(phone, owner)
    sees_the_account(phone)
    page.goto("/login/")
    page.locator("main a[href='/password/reset/']").click()
    send(page, email=owner.email.upper())
    is_at(page, "/password/reset/done/")
    (message,) = mailoutbox
    assert message.to == [owner.email]

    page.goto(path_in(message))
    send(page, password1=NEW_PASSWORD, password2=NEW_PASSWORD)
    is_at(page, "/password/reset/key/done/")
    sign_in(page, owner, NEW_PASSWORD)

    sees_the_account(page)
    expect(page.locator("#sessions > li:not(.ended)")).to_have_count(1)
    phone.get_by_role("button", name="Save").click()
    is_at(phone, "/login/")
    page.goto(path_in(message))  # it worked once
    expect(page.locator("[name=password1]")).to_have_count(0)


def test_a_new_address_replaces_the_old_one_after_its_code_is_entered(
    page, phone, owner, verify_by_code, mailoutbox
):
    old, new = owner.email, "new@example.com"
    sign_in(page, owner)
    sees_the_account(page)
    open_from_the_account(page, "/email/")
    send(page, email=new)
    confirm(page)
    is_at(page, "/confirm-email/")
    assert User.objects.get(pk=owner.pk).email == old

    send(page, code=code_in(messages_of(mailoutbox, new)[0]))

    expect(page.get_by_role("main")).to_contain_text(new)
    owner.refresh_from_db()
    assert owner.email == new
    (message,) = messages_of(mailoutbox, old)
    assert "Your e-mail address was changed" in message.subject
    sign_in(phone, owner)
    sees_the_account(phone)


@pytest.fixture
def staff(db):
    staff = UserFactory(admin=True)
    verify(staff)
    return staff
