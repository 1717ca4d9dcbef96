"""Sign-ins on pages: each opens a row, and the Django session and the row end together."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model, login, logout, update_session_auth_hash
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from tests.support.factories import UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_user
from token_blacklist.sessions.open import prolong

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
VALIDATOR = "token_blacklist.password_validation.RevokeSessionsValidator"
HOUR = 3600
DAY = 24 * HOUR


def who(request):
    return HttpResponse(str(request.user.pk))


async def who_async(request):
    return HttpResponse(str((await request.auser()).pk))


def sign_in(request):
    login(request, get_user_model().objects.get(pk=request.POST["user"]), backend=MODEL_BACKEND)
    return HttpResponse("ok")


def sign_in_late(request):
    """Sign in a user whose password changes after it was checked."""
    user = get_user_model().objects.get(pk=request.POST["user"])
    set_password_elsewhere(user)
    login(request, user, backend=MODEL_BACKEND)
    return HttpResponse(str(request.user.pk))


def look_and_sign_in(request):
    assert request.user.is_authenticated
    return sign_in(request)


def sign_out(request):
    logout(request)
    return HttpResponse("ok")


def forget(request):
    request.session.get("something")
    request.session.flush()
    return HttpResponse("ok")


def change_password(request):
    user = get_user_model().objects.get(pk=request.user.pk)
    user.set_password("a new password")
    user.save()
    update_session_auth_hash(request, user)
    return HttpResponse("ok")


def change_password_late(request):
    """Change a password that is changed once more before the response."""
    change_password(request)
    set_password_elsewhere(request.user)
    return HttpResponse("ok")


def set_password_elsewhere(user):
    get_user_model().objects.filter(pk=user.pk).update(password="another")


def token_sign_in(request):
    """Send user_logged_in without a Django session, as packages do for a sign-in with a token."""
    user = get_user_model().objects.get(pk=request.POST["user"])
    user_logged_in.send(type(user), request=request, user=user)
    return HttpResponse("ok")


views = [
    who,
    who_async,
    sign_in,
    sign_in_late,
    look_and_sign_in,
    sign_out,
    forget,
    change_password,
    change_password_late,
    token_sign_in,
]
urlpatterns = [
    *(path(f"{view.__name__}/", csrf_exempt(view)) for view in views),
    path("", include(django_settings.ROOT_URLCONF)),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Browser(Client):
    """A browser, with the current user and the row of its Django session."""

    def is_user(self, user):
        return self.get("/who/").text == str(user.pk)

    def enter(self, user, **extra):
        assert self.post("/sign_in/", {"user": user.pk}, **extra).status_code == HTTPStatus.OK
        return OutstandingToken.objects.latest("pk")


@pytest.fixture(autouse=True)
def no_refresh_cookie(options):
    """Set the default; test_pages_and_tokens.py is about the cookie."""
    options(PAGES_SET_REFRESH_COOKIE=False)


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def row(browser, user):
    """The row of the signed-in browser."""
    row = browser.enter(user)
    assert browser.is_user(user)
    return row


def is_live(row):
    return OutstandingToken.objects.live().filter(pk=row.pk).exists()


def end_of(row):
    return BlacklistedToken.objects.get(token=row)


class TestSigningIn:
    def test_opens_a_row_of_the_client_that_expires_with_the_django_session(
        self, browser, user, clock, settings
    ):
        settings.SESSION_COOKIE_AGE = 5 * HOUR
        client = {"HTTP_USER_AGENT": "Browser/1.0", "REMOTE_ADDR": "192.0.2.7"}

        row = browser.enter(user, **client)

        assert (row.user, row.generation) == (user, 0)
        assert (row.ip_address, row.user_agent) == ("192.0.2.7", "Browser/1.0")
        assert row.created_at == timezone.now()
        assert row.expires_at == timezone.now() + timedelta(hours=5)
        assert is_live(row)

    def test_again_revokes_the_former_row(self, browser, user, row):
        after = browser.enter(user)

        assert after != row
        assert (end_of(row).reason, end_of(row).blacklisted_by) == ("logout", user)
        assert is_live(after)
        assert browser.is_user(user)

    def test_as_another_user_revokes_the_former_users_row(self, browser, user, row):
        other = UserFactory()

        after = browser.enter(other)

        assert (after.user, end_of(row).blacklisted_by) == (other, user)
        assert browser.is_user(other)

    def test_as_another_user_opens_one_row_if_the_view_read_request_user_before(
        self, browser, user, row
    ):
        other = UserFactory()

        browser.post("/look_and_sign_in/", {"user": other.pk})

        assert [live.user for live in OutstandingToken.objects.live()] == [other]
        assert OutstandingToken.objects.count() == 2

    def test_above_max_sessions_per_user_revokes_the_oldest_row(self, browser, user, row, options):
        options(MAX_SESSIONS_PER_USER=1)
        Browser().enter(user)

        assert not browser.is_user(user)
        assert not is_live(row)

    def test_of_a_user_whose_password_changed_since_the_check_is_refused(self, browser, user):
        assert browser.post("/sign_in_late/", {"user": user.pk}).text == "None"

        assert not OutstandingToken.objects.exists()
        assert not browser.is_user(user)

    def test_of_a_user_whom_user_authentication_rule_refuses_opens_no_row(
        self, browser, user, options
    ):
        options(USER_AUTHENTICATION_RULE=lambda user: False)
        browser.post("/sign_in/", {"user": user.pk})

        assert not OutstandingToken.objects.exists()
        assert not browser.is_user(user)

    def test_for_a_token_does_not_change_the_django_session(self, browser, user, row):
        other = UserFactory()

        browser.post("/token_sign_in/", {"user": other.pk})
        Browser().post("/token_sign_in/", {"user": other.pk})

        assert list(OutstandingToken.objects.live()) == [row]
        assert browser.is_user(user)


class TestTheEndOfARow:
    def test_makes_the_user_anonymous_and_flushes_the_session(self, browser, user, row):
        key = browser.session.session_key
        revoke_user(user, reason="admin")

        assert not browser.is_user(user)
        assert django_settings.SESSION_COOKIE_NAME not in {
            name for name, cookie in browser.cookies.items() if cookie.value
        }
        assert not type(browser.session)(key).exists(key)

    def test_by_deletion_or_expiry_makes_the_user_anonymous_too(self, browser, user, row, clock):
        phone = Browser()
        phone.enter(user)
        row.delete()
        assert not browser.is_user(user)

        OutstandingToken.objects.update(expires_at=timezone.now())
        assert not phone.is_user(user)
        assert not BlacklistedToken.objects.exists()  # it expired and was not revoked

    def test_follows_a_sign_out(self, browser, user, row):
        stolen = Browser()
        stolen.cookies = browser.cookies.copy()

        browser.post("/sign_out/")

        assert (end_of(row).reason, end_of(row).blacklisted_by) == ("logout", user)
        assert not stolen.is_user(user)

    def test_follows_a_flush_of_the_django_session(self, browser, row):
        browser.post("/forget/")

        assert end_of(row).reason == "logout"

    def test_follows_a_new_password_set_elsewhere(self, browser, user, row):
        set_password_elsewhere(user)

        assert not browser.is_user(user)
        assert (end_of(row).reason, end_of(row).blacklisted_by) == ("api", None)

    def test_follows_a_users_deactivation_or_deletion(self, browser, user, row):
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
        assert not browser.is_user(user)
        assert not is_live(row)

        other = UserFactory()
        browser.enter(other)
        get_user_model().objects.filter(pk=other.pk).delete()
        assert not browser.is_user(other)

    def test_follows_a_refusal_by_user_authentication_rule(self, browser, user, row, options):
        options(USER_AUTHENTICATION_RULE=lambda user: False)

        assert not browser.is_user(user)

    def test_signs_out_a_django_session_that_refers_to_another_users_row(self, browser, user, row):
        session = browser.session
        session["_token_blacklist"] = {
            **session["_token_blacklist"],
            "sid": Browser().enter(UserFactory()).session_id,
        }
        session.save()

        assert not browser.is_user(user)  # it is another user's row


class TestADjangoSession:
    def test_without_a_row_is_flushed(self, browser, user, row):
        session = browser.session
        del session["_token_blacklist"]
        session.save()

        assert not browser.is_user(user)

    def test_whose_backend_is_no_longer_configured_is_refused(self, browser, user, row, settings):
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OwnBackend"]

        assert not browser.is_user(user)

    @pytest.mark.parametrize("hash_", ["", "another", None])
    def test_with_a_wrong_hash_is_refused(self, browser, user, row, hash_):
        session = browser.session
        session["_auth_user_hash"] = hash_
        session.save()

        assert not browser.is_user(user)

    def test_without_a_hash_is_refused_for_any_return_value_of_the_user_model(
        self, browser, user, row, monkeypatch
    ):
        monkeypatch.setattr(get_user_model(), "get_session_auth_hash", lambda user: "")
        session = browser.session
        session["_auth_user_hash"] = ""
        session.save()

        assert not browser.is_user(user)

    def test_of_a_backend_with_its_own_get_user_calls_it(
        self, browser, user, row, settings, monkeypatch
    ):
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.OwnBackend"]
        session = browser.session
        session["_auth_user_backend"] = f"{__name__}.OwnBackend"
        session.save()

        assert browser.is_user(user)
        monkeypatch.setattr(OwnBackend, "refused", {user.pk})
        assert not browser.is_user(user)

    def test_of_a_backend_that_refuses_the_user_is_refused(
        self, browser, user, row, settings, monkeypatch
    ):
        monkeypatch.setattr(ModelBackend, "user_can_authenticate", lambda backend, user: False)

        assert not browser.is_user(user)

    def test_is_djangos_own_without_the_app(self, browser, user, settings):
        settings.INSTALLED_APPS = [
            app for app in settings.INSTALLED_APPS if app != "token_blacklist"
        ]
        browser.post("/sign_in/", {"user": user.pk})

        assert not OutstandingToken.objects.exists()
        assert browser.is_user(user)
        browser.post("/sign_out/")
        assert not browser.is_user(user)

    def test_is_djangos_own_without_the_middleware(self, browser, user, settings):
        settings.MIDDLEWARE = [
            name.replace("token_blacklist.middleware", "django.contrib.auth.middleware")
            for name in settings.MIDDLEWARE
        ]
        browser = Browser()
        browser.post("/sign_in/", {"user": user.pk})

        assert not OutstandingToken.objects.exists()
        assert browser.is_user(user)


class OwnBackend(ModelBackend):
    refused = frozenset()

    def get_user(self, user_id):
        return None if user_id in self.refused else super().get_user(user_id)


class TestANewPassword:
    @pytest.mark.parametrize("validators", [[], [{"NAME": VALIDATOR}]])
    def test_by_its_owner_gives_the_browser_a_new_row(
        self, browser, user, row, settings, validators
    ):
        settings.AUTH_PASSWORD_VALIDATORS = validators
        attacker = Browser()
        stolen = attacker.enter(user)

        browser.post("/change_password/")

        assert browser.is_user(user)
        assert not attacker.is_user(user)
        assert not is_live(row)
        assert not is_live(stolen)
        assert OutstandingToken.objects.live().get().user == user

    def test_that_was_changed_again_by_another_request_signs_the_browser_out(
        self, browser, user, row, settings
    ):
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": VALIDATOR}]

        browser.post("/change_password_late/")

        assert not OutstandingToken.objects.live().exists()
        assert not browser.is_user(user)


class TestExpiry:
    def test_moves_both_expiries_at_most_once_an_hour(self, browser, user, row, clock, settings):
        settings.SESSION_COOKIE_AGE = DAY
        row = browser.enter(user)
        opened = row.expires_at

        clock.shift(HOUR - 1)
        browser.is_user(user)
        row.refresh_from_db()
        assert row.expires_at == opened

        clock.shift(1)
        answer = browser.get("/who/")
        row.refresh_from_db()
        assert row.expires_at == timezone.now() + timedelta(days=1)
        assert answer.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == DAY
        assert (row.generation, row.refreshed_at) == (0, None)

        clock.shift(DAY - HOUR + 1)
        assert browser.is_user(user)
        clock.shift(DAY + 1)
        assert not browser.is_user(user)

    def test_ends_at_the_session_lifetime(self, browser, user, clock, options, settings):
        options(SESSION_LIFETIME=timedelta(hours=3))
        settings.SESSION_COOKIE_AGE = 2 * HOUR
        row = browser.enter(user)

        clock.shift(1.5 * HOUR)
        assert browser.is_user(user)
        row.refresh_from_db()
        assert row.expires_at == row.created_at + timedelta(hours=3)
        clock.shift(1.5 * HOUR)
        assert not browser.is_user(user)

    def test_does_not_extend_a_revoked_row_or_shorten_a_live_one(self, row):
        now, later = timezone.now(), row.expires_at + timedelta(days=1)
        assert not prolong(row.session_id, now=now, expires_at=now + timedelta(hours=1))
        assert prolong(row.session_id, now=now, expires_at=later)
        assert not prolong(row.session_id, now=later, expires_at=later + timedelta(days=1))
        revoke_user(row.user, reason="admin")
        assert not prolong(row.session_id, now=now, expires_at=later + timedelta(days=1))
        assert not prolong("unknown", now=now, expires_at=later)

        row.refresh_from_db()
        assert row.expires_at == later
        assert not is_live(row)


class TestStatements:
    def test_a_page_is_the_django_session_and_one_select(self, browser, row):
        with statements("SELECT", "SELECT"):
            browser.get("/who/")

    def test_an_anonymous_request_sends_no_statement(self, browser):
        with statements():
            Browser().get("/who/")

    def test_a_page_each_hour_extends_both_sessions(self, browser, row, clock, settings):
        settings.SESSION_COOKIE_AGE = DAY
        clock.shift(HOUR)

        with statements("SELECT", "SELECT", "UPDATE", "UPDATE"):
            browser.get("/who/")


def test_an_asynchronous_view_gets_the_same_user(user):
    browser = AsyncClient()
    browser.force_login(user)

    async def ask():
        before = (await browser.get("/who_async/")).text
        await sync_to_async(revoke_user)(user, reason="admin")
        return before, (await browser.get("/who_async/")).text

    assert async_to_sync(ask)() == (str(user.pk), "None")
