"""“This wasn't me”: the link of an e-mail with which the owner takes the account back."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import report
from accounts.models import Activity, User, verify
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def user(db):
    user = UserFactory()
    verify(user)
    return user


@pytest.fixture
def link(user):
    return link_of(user)


def link_of(user, address=None):
    return f"/report/{report.make_token(user, address or user.email)}/"


def move(user, address):
    """Change the user's address, as django-allauth does when the new one is verified."""
    EmailAddress.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(email=address)
    user.refresh_from_db()
    verify(user)


def state(user):
    """Return all rows that a report may change."""
    tables = (User.objects.filter(pk=user.pk), EmailAddress, OutstandingToken, BlacklistedToken)
    found = [getattr(table, "objects", table).order_by("pk").values() for table in tables]
    return [list(rows) for rows in (*found, Activity.objects.values())]


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_opening_the_link_changes_nothing_and_names_nobody(client, device, user, link, method):
    before = state(user)

    answer = getattr(client, method)(link)

    assert state(user) == before
    assert user.email not in answer.text
    assert not client.session.keys()
    assert device.me().status_code == HTTPStatus.OK


def test_the_page_of_a_link_is_not_stored_and_not_named_to_other_sites(client, link):
    answer = client.get(link)

    assert answer.status_code == HTTPStatus.OK
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert '<form method="post">' in answer.text


def test_the_button_ends_every_session_with_the_note_for_support(client, user, device, link):
    page = Client()
    page.force_login(user)

    answer = client.post(link)

    assert answer.status_code == HTTPStatus.OK
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert page.get("/account/").status_code == HTTPStatus.FOUND
    ended = set(BlacklistedToken.objects.values_list("reason", "note", "blacklisted_by"))
    assert ended == {("logout_all", "The owner reported: this wasn't me.", user.pk)}


def test_the_button_disables_the_password_and_cancels_the_deletion(client, user, link):
    User.objects.filter(pk=user.pk).update(delete_at=timezone.now())

    client.post(link)

    user.refresh_from_db()
    assert not user.has_usable_password()
    assert user.delete_at is None
    assert Device(user).log_in().status_code == HTTPStatus.UNAUTHORIZED


def test_the_button_leads_to_a_new_password_by_a_mail_to_the_address(
    client, user, link, mailoutbox
):
    client.post(link)

    (message,) = mailoutbox
    assert message.to == [user.email]
    (url,) = re.findall(r"http://testserver(/password/reset/key/\S+)", message.body)
    form = client.get(url, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "a new long password", "password2": "a new long password"})
    user.refresh_from_db()
    assert user.check_password("a new long password")


def test_the_report_is_in_the_story_of_an_account_without_sessions(client, user, link):
    client.post(link, REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Phone/1.0")

    (entry,) = Activity.objects.values_list("kind", "ip_address", "user_agent")
    assert entry == ("reported", "192.0.2.7", "Phone/1.0")


def test_a_second_click_and_every_older_link_do_nothing(client, user, link):
    newer = link_of(user)
    client.post(newer)
    user.refresh_from_db()
    user.set_password(PASSWORD)
    user.save()
    before = state(user)

    answers = [client.post(each).status_code for each in (newer, link)]

    assert answers == [HTTPStatus.NOT_FOUND] * 2
    assert state(user) == before


def test_a_thief_who_changed_password_and_address_cannot_keep_the_account(
    client, user, link, mailoutbox
):
    address = user.email
    user.set_password("the password of the thief")
    user.save()
    move(user, "thief@example.com")
    EmailAddress.objects.create(user=user, email="another@example.com")

    client.post(link)

    user.refresh_from_db()
    assert user.email == address
    found = EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")
    assert list(found) == [(address, True, True)]
    assert [message.to for message in mailoutbox] == [[address]]


@pytest.mark.parametrize("first", ["owner", "thief"])
def test_the_link_of_the_owner_works_whatever_the_thief_does_with_later_links(client, user, first):
    address, owners = user.email, link_of(user)
    move(user, "thief@example.com")
    thiefs = link_of(user)
    links = [owners, thiefs] if first == "owner" else [thiefs, owners]

    answers = [client.post(each).status_code for each in links]

    assert answers[links.index(owners)] == HTTPStatus.OK
    assert client.post(thiefs).status_code == HTTPStatus.NOT_FOUND
    user.refresh_from_db()
    assert user.email == address


def test_a_sign_up_with_the_owners_address_does_not_keep_it_from_the_owner(client, user, link):
    address = user.email
    move(user, "thief@example.com")
    squatter = UserFactory(email=address)
    EmailAddress.objects.create(user=squatter, email=address, primary=True)

    client.post(link)

    user.refresh_from_db()
    squatter.refresh_from_db()
    assert user.email == address
    assert squatter.email.endswith(".invalid")


def test_an_address_that_another_account_has_verified_stays_there(client, user, link, mailoutbox):
    address = user.email
    move(user, "thief@example.com")
    other = UserFactory(email=address)
    verify(other)

    answer = client.post(link)

    user.refresh_from_db()
    other.refresh_from_db()
    assert "nobody can sign in until support has given the account back" in answer.text
    assert not user.is_active
    assert not user.has_usable_password()
    assert (user.email, other.email) == ("thief@example.com", address)
    assert not mailoutbox


def test_support_that_enters_another_address_ends_the_links_of_the_old_mailbox(
    client, admin_client, user, link
):
    changes = {"email": "new@example.com", "name": user.name, "is_active": "on"}
    page = f"/admin/accounts/user/{user.pk}/change/"
    admin_client.post(page, {**changes, "date_joined_0": "2026-01-01", "date_joined_1": "10:00"})
    user.refresh_from_db()
    assert user.email == "new@example.com"

    answers = [client.post(link).status_code, client.post(link_of(user)).status_code]

    assert answers == [HTTPStatus.NOT_FOUND, HTTPStatus.OK]
    assert client.post(link).status_code == HTTPStatus.NOT_FOUND


def test_every_link_that_does_not_work_has_the_same_page(client, user, link, clock):
    unknown = UserFactory()
    of_nobody = link_of(unknown)
    unknown.delete()
    inactive = UserFactory(is_active=False)
    used = link_of(user)
    client.post(used)
    token = signing.dumps([str(user.pk), user.email, 0], salt="of another link")
    forged = [
        f"/report/{each}/" for each in (token, "a", "%00", ":::", "é:%F0%9F%98%80", "x" * 2000)
    ]
    over = [of_nobody, link_of(inactive), used, link, *forged]

    answers = [send(each) for each in over for send in (client.get, client.post)]

    assert {answer.status_code for answer in answers} == {HTTPStatus.NOT_FOUND}
    assert len({re.sub(r'(?<=value=")\w+', "", answer.text) for answer in answers}) == 1
    assert "/password/reset/" in answers[0].text
    assert "/login/" in answers[0].text


@pytest.mark.parametrize(("hours", "status"), [(23, HTTPStatus.OK), (25, HTTPStatus.NOT_FOUND)])
def test_a_link_expires_in_24_hours(client, link, clock, hours, status):
    clock.shift(timedelta(hours=hours))

    assert client.get(link).status_code == status
    assert client.post(link).status_code == status


def test_clicks_from_one_address_are_limited(client, settings):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"report": "2/m/ip"}

    answers = [client.post("/report/guess/").status_code for _ in range(3)]

    assert answers == [404, 404, 429]


def test_a_link_is_not_logged(client, link, caplog):
    caplog.set_level("DEBUG")
    token = link.split("/")[2]

    for path in (link, link.rstrip("/"), f"{link}more/"):
        client.get(path)
        client.post(path)
        client.post(path)

    assert caplog.text
    assert token[:20] not in caplog.text


def test_removes_passkeys_and_connected_accounts_of_the_last_day_and_no_older_ones(
    client, user, link
):
    lately, before = timezone.now() - timedelta(hours=23), timezone.now() - timedelta(hours=25)
    for at in (lately, before):
        key = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
        Authenticator.objects.filter(pk=key.pk).update(created_at=at)
        account = SocialAccount.objects.create(user=user, provider="google", uid=f"{at}")
        SocialAccount.objects.filter(pk=account.pk).update(date_joined=at)

    client.post(link)

    assert [each.created_at for each in Authenticator.objects.all()] == [before]
    assert [each.date_joined for each in SocialAccount.objects.all()] == [before]
