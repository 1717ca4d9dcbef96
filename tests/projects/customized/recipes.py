"""The claims of docs/customizing.md, pages.md and accounts.md, tested in a product."""

import re
from http import HTTPStatus

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client

from accounts.models import User, verify
from config import settings as site
from tests.support.codes import add_authenticator_app, code_in
from tests.support.devices import Device
from tests.support.factories import UserFactory
from tests.support.start import settings_of
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _second_factor_required(settings):
    settings.SECOND_FACTOR_REQUIRED = True


@pytest.fixture
def user(db):
    """A user with a second factor, which the recipes require."""
    user = UserFactory()
    add_authenticator_app(user)
    verify(user)
    return user


@pytest.fixture
def boss(db):
    boss = UserFactory(admin=True)
    add_authenticator_app(boss)
    return boss


@pytest.fixture
def device(user):
    """A device that is signed in."""
    device = Device(user)
    refresh = RefreshToken.for_user(user)
    device.access, device.refresh_token = str(refresh.access_token), str(refresh)
    return device


def test_a_new_role_is_in_the_next_access_token(user, device):
    user.groups.add(Group.objects.create(name="Buyers"))

    assert device.refresh().status_code == HTTPStatus.OK

    assert AccessToken(device.access)["roles"] == ["Buyers"]
    assert "roles" not in RefreshToken(device.refresh_token)


def test_a_user_reads_and_changes_the_new_field(user, device):
    answer = device.http.patch("/api/me/", {"phone": "+49 30 1234"}, format="json", **device.bearer)

    assert answer.status_code == HTTPStatus.OK
    assert device.me().json()["phone"] == "+49 30 1234"
    user.refresh_from_db()
    assert user.phone == "+49 30 1234"


def test_the_admin_shows_the_new_field(user, client, boss):
    client.force_login(boss)

    assert 'name="phone"' in client.get(f"/admin/accounts/user/{user.pk}/change/").text


def test_the_account_page_has_the_new_field(client, user):
    client.force_login(user)

    assert '<input id="phone"' in client.get("/account/").text


def test_the_admin_lists_the_orders(client, boss):
    from shop.models import Order

    Order.objects.create(user=boss, item="Tea")
    client.force_login(boss)

    orders = client.get("/admin/shop/order/").text
    assert "Tea" in orders
    assert orders.count('href="/admin/shop/order/"') >= 1


def test_the_page_is_there(client):
    assert "<h1>Orders</h1>" in client.get("/orders/").text
    assert "csrftoken" in client.cookies


def test_a_french_browser_reads_french(client):
    page = client.get("/", headers={"accept-language": "fr"}).text

    assert '<html lang="fr"' in page
    assert "Se connecter" in page


def test_fraud_ends_every_session_for_the_new_reason(user, device, client, boss):
    from shop.fraud import report_fraud

    assert report_fraud(user) == 1

    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "fraud"
    client.force_login(boss)
    records = client.get("/admin/token_blacklist/blacklistedtoken/?reason__exact=fraud").text
    assert "a payment was fraudulent" in records


def test_users_who_are_deactivated_by_code_stay_signed_out(user, device):
    from shop.accounts import deactivate

    deactivate("example.com")
    User.objects.update(is_active=True)

    assert device.me().status_code == device.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "deactivated"


def test_orders_above_the_rate_are_refused(device, settings):
    from shop.models import Order

    assert site.ACCOUNT_RATE_LIMITS["orders"] == "30/h/user"
    settings.ACCOUNT_RATE_LIMITS = {"orders": "2/h/user"}

    def order():
        answer = device.http.post("/api/orders/", {"item": "Tea"}, format="json", **device.bearer)
        return answer.status_code

    assert [order(), order(), order()] == [201, 201, 429]
    assert Order.objects.count() == 2
    assert device.http.get("/api/orders/", **device.bearer).status_code == HTTPStatus.OK


def test_the_new_text_is_in_the_e_mail(client, user):
    client.post("/password/reset/", {"email": user.email})

    (message,) = mail.outbox
    assert "Call 0800 123456." in message.body
    assert "Call 0800 123456." in message.alternatives[0][0]


def test_the_provider_is_there_if_its_variables_are_set():
    given = {"GITLAB_CLIENT_ID": "an-id", "GITLAB_CLIENT_SECRET": "a-secret"}

    read = settings_of(DEBUG="True", **given)

    assert "allauth.socialaccount.providers.gitlab" in read.INSTALLED_APPS
    assert "https://gitlab.com" in read.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]
    assert not settings_of(DEBUG="True").SOCIALACCOUNT_PROVIDERS


SIGN_UP = {
    "email": "eve@example.com",
    "password1": "a long enough password",
    "phone": "+49 30 1234",
}
BY_APP = {"email": "eve@example.com", "password": "a long enough password", "phone": "1234"}


def by_app(client, data=BY_APP):
    return client.post("/_allauth/app/v1/auth/signup", data, content_type="application/json")


def test_the_sign_up_is_closed_on_the_page_and_in_the_api(client, settings):
    settings.ACCOUNT_SIGNUP_ENABLED = site.ACCOUNT_SIGNUP_ENABLED
    page = client.post("/signup/", SIGN_UP)

    assert page.status_code == HTTPStatus.OK
    assert "closed" in page.text.lower()
    assert by_app(client).status_code == HTTPStatus.FORBIDDEN
    assert 'href="/signup/' not in client.get("/login/").text
    assert not User.objects.exists()


def test_the_sign_up_has_the_new_field_on_the_page_and_in_the_api(client, settings):
    settings.ACCOUNT_SIGNUP_ENABLED = True
    assert 'name="phone"' in client.get("/signup/").text

    by_app(Client(), BY_APP)
    client.post("/signup/", SIGN_UP | {"email": "ada@example.com"})

    assert User.objects.get(email="eve@example.com").phone == "1234"
    assert User.objects.get(email="ada@example.com").phone == "+49 30 1234"


def test_without_a_second_factor_pages_lead_to_its_set_up(client, db):
    client.force_login(UserFactory())

    for page in ("/", "/account/", "/orders/", "/admin/"):
        assert client.get(page).headers["Location"] == "/2fa/"
    assert client.get("/2fa/").status_code == HTTPStatus.OK
    assert client.get("/jsi18n/").status_code == HTTPStatus.OK


def test_without_a_second_factor_endpoints_refuse_all_but_the_account(db):
    device = Device(UserFactory())
    assert device.log_in().status_code == HTTPStatus.OK

    refused = device.http.get("/api/orders/", **device.bearer)

    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["code"] == "second_factor_required"
    assert device.me().status_code == HTTPStatus.OK


def test_with_a_second_factor_nothing_is_in_the_way(client, user, device):
    client.force_login(user)

    assert client.get("/orders/").status_code == HTTPStatus.OK
    assert device.http.get("/api/orders/", **device.bearer).status_code == HTTPStatus.OK
    assert Client().get("/").status_code == HTTPStatus.OK


def test_a_code_from_an_e_mail_signs_in(client, db):
    user = UserFactory()
    verify(user)
    assert "/login/code/" in client.get("/login/").text

    asked = client.post("/login/code/", {"email": user.email})
    client.post(asked.headers["Location"], {"code": code_in(mail.outbox[0])})

    assert OutstandingToken.objects.live().get().user == user


def test_a_code_from_an_e_mail_is_no_second_factor(client, user):
    asked = client.post("/login/code/", {"email": user.email})
    answer = client.post(asked.headers["Location"], {"code": code_in(mail.outbox[0])})

    assert re.match("/2fa/authenticate/", answer.headers["Location"])
    assert not OutstandingToken.objects.exists()
