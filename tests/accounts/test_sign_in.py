"""Signing in at /api/token/ and /api/token/sliding/: statements sent, and refusals."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.backends import BaseBackend
from django.core.cache import cache
from django.db import connections
from django.test import Client

from accounts.models import User, verify
from tests.support.codes import add_authenticator_app, add_recovery_codes, path_in, totp
from tests.support.factories import PASSWORD, UserFactory
from tests.support.parts import only_with
from tests.support.statements import statements
from token_blacklist.models import OutstandingToken

JSON = "application/json"
SIGN_UP = "/_allauth/app/v1/auth/signup"
PATHS = ["/api/token/", *only_with("sliding", "/api/token/sliding/")]


@pytest.fixture(autouse=True)
def no_code_was_used():
    cache.clear()


@pytest.fixture
def mfa_user(user):
    """A user with a second factor; `secret` and `codes` are theirs."""
    user.secret = add_authenticator_app(user)
    user.codes = add_recovery_codes(user)
    return user


def sign_in(user, path="/api/token/", **more):
    body = {"email": user.email, "password": PASSWORD, **more}
    return Client().post(path, body, JSON)


def code_of(answer):
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    return answer.json()["code"]


@pytest.mark.parametrize("path", PATHS)
class TestStatements:
    @pytest.fixture(autouse=True)
    def _without_further_claims(self, options):
        options(USER_CLAIMS=None)

    def test_of_a_verified_user_is_two_statements(self, user, verify_by_code, path):
        verify(user)

        with statements("SELECT", "INSERT"):
            assert sign_in(user, path).status_code == HTTPStatus.OK

    def test_of_a_second_factor_is_one_select_and_one_update_more(self, mfa_user, path):
        with statements("SELECT"):
            assert code_of(sign_in(mfa_user, path)) == "mfa_required"
        with statements("SELECT", "SELECT", "UPDATE", "INSERT"):
            answer = sign_in(mfa_user, path, code=totp(mfa_user.secret))
            assert answer.status_code == HTTPStatus.OK


class TestRefusal:
    @pytest.mark.parametrize("path", PATHS)
    def test_asks_for_a_code_only_with_the_right_password(self, mfa_user, path):
        assert code_of(sign_in(mfa_user, path)) == "mfa_required"
        assert code_of(sign_in(mfa_user, path, code=" ")) == "mfa_required"
        assert code_of(sign_in(mfa_user, path, password="wrong")) == "no_active_account"

    @pytest.mark.parametrize("code", ["000000", "x", 123456, "\u0661" * 6, "9" * 32])
    def test_of_a_wrong_code_is_incorrect_code(self, mfa_user, code):
        assert code_of(sign_in(mfa_user, code=code)) == "incorrect_code"

    @pytest.mark.parametrize("code", [[], {}, True, "9" * 33, "\x00", None])
    def test_of_a_malformed_code_is_400(self, mfa_user, code):
        assert sign_in(mfa_user, code=code).status_code == HTTPStatus.BAD_REQUEST

    @pytest.mark.parametrize("path", PATHS)
    def test_of_an_unverified_address_is_email_not_verified(self, mfa_user, verify_by_code, path):
        assert code_of(sign_in(mfa_user, path)) == "email_not_verified"
        EmailAddress.objects.create(user=mfa_user, email="other@example.com", verified=True)
        assert code_of(sign_in(mfa_user, path)) == "email_not_verified"
        verify(mfa_user)
        assert code_of(sign_in(mfa_user, path)) == "mfa_required"


class Directory(BaseBackend):
    """An authentication backend with passwords of its own, such as LDAP."""

    def authenticate(self, request, email=None, password=None):
        if password != "of the directory":
            return None
        return User.objects.filter(email=email).first()


class TestAnotherBackend:
    @pytest.fixture(autouse=True)
    def directory(self, settings):
        backends = [f"{__name__}.Directory", *settings.AUTHENTICATION_BACKENDS]
        settings.AUTHENTICATION_BACKENDS = backends

    @pytest.mark.parametrize("password", ["of the directory", PASSWORD])
    def test_signs_in_beside_djangos(self, user, password):
        assert sign_in(user, password=password).status_code == HTTPStatus.OK
        assert code_of(sign_in(user, password="wrong")) == "no_active_account"

    def test_needs_the_second_factor_as_well(self, mfa_user):
        assert code_of(sign_in(mfa_user, password="of the directory")) == "mfa_required"
        code = totp(mfa_user.secret)
        answer = sign_in(mfa_user, password="of the directory", code=code)
        assert answer.status_code == HTTPStatus.OK


def at_once(*calls):
    """Call all at the same time, each in a thread with its own connection."""
    barrier = threading.Barrier(len(calls))

    def go(call):
        try:
            barrier.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    @pytest.mark.parametrize("kind", ["authenticator app", "recovery code"])
    def test_a_code_sent_concurrently_signs_in_once(self, kind):
        user = UserFactory()
        app, recovery = totp(add_authenticator_app(user)), add_recovery_codes(user)[0]
        code = app if kind == "authenticator app" else recovery

        answers = at_once(*[lambda: sign_in(user, code=code)] * 6)

        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
        assert OutstandingToken.objects.count() == 1

    @pytest.mark.parametrize("attempt", range(2))
    def test_two_concurrent_sign_ups_with_one_address_create_one_account(self, attempt):
        body = {"email": "ada@example.com", "password": PASSWORD}
        app = [lambda: Client().post(SIGN_UP, body, JSON)] * 3
        page = [lambda: Client().post("/signup/", {"email": body["email"], "password1": PASSWORD})]

        answers = at_once(*app, *page * 3)

        assert User.objects.count() == EmailAddress.objects.count() == 1
        assert all(answer.status_code < 500 for answer in answers)

    @pytest.mark.parametrize("attempt", range(2))
    def test_a_password_reset_link_used_concurrently_works_once(self, attempt, mailoutbox):
        user = UserFactory()
        Client().post("/password/reset/", {"email": user.email})
        link = path_in(mailoutbox[0])
        browsers = [Client() for _ in range(3)]
        forms = [one.get(link, follow=True).redirect_chain[-1][0] for one in browsers]
        passwords = [f"a long password {number}" for number in range(3)]

        answers = at_once(
            *(
                lambda one=one, form=form, new=new: one.post(
                    form, {"password1": new, "password2": new}
                )
                for one, form, new in zip(browsers, forms, passwords, strict=True)
            )
        )

        assert all(answer.status_code < 500 for answer in answers)
        user.refresh_from_db()
        assert sum(user.check_password(new) for new in passwords) == 1
        changed = [mail for mail in mailoutbox if "new password" in mail.subject][1:]
        assert len(changed) == 1
