"""PAGES_SET_REFRESH_COOKIE: the Django session and the tokens of a browser are one session."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from tests.support.devices import Device, user_id_claim
from tests.support.factories import UserFactory
from tests.support.statements import statements
from tests.token_blacklist import test_middleware
from tests.token_blacklist.test_middleware import (
    VALIDATOR,
    Browser,
    end_of,
    is_live,
    set_password_elsewhere,
    sign_in,
)
from token_blacklist.clients import remembering
from token_blacklist.middleware import (
    reauthenticated,
    rebind,
    remembers,
    renew,
    session_id_of,
    take_token,
)
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.sessions.end import revoke_user
from token_blacklist.tokens import AccessToken, RefreshToken

COOKIE = "refresh_token"
HOUR = 3600
DAY = 24 * HOUR


def sign_in_briefly(request):
    request.session.set_expiry(0)
    return sign_in(request)


def sign_in_briefly_late(request):
    answer = sign_in(request)
    request.session.set_expiry(0)
    return answer


def sign_in_and_out(request):
    sign_in(request)
    return test_middleware.sign_out(request)


def sign_in_and_forget(request):
    sign_in(request)
    request.session.flush()
    return HttpResponse("ok")


def sign_in_and_fail(request):
    sign_in(request)
    return HttpResponse("no", status=HTTPStatus.INTERNAL_SERVER_ERROR)


def sign_in_and_take(request):
    sign_in(request)
    token, again = take_token(request), take_token(request)
    return HttpResponse(f"{token} {again}")


def as_an_app(request, work):
    """Call `work` with the Django session of the header, as django-allauth does for apps."""
    kept = request.user, request.session
    request.session = SessionStore(request.headers.get("X-Session-Token"))
    vars(request).pop("_cached_user", None)
    try:
        answer = work(request)
        request.session.save()
        answer["X-Session-Token"] = request.session.session_key
    finally:
        request.user, request.session = kept
    return answer


def app_sign_in(request):
    return as_an_app(request, sign_in_and_take)


def app_sign_in_and_forget_to_take(request):
    return as_an_app(request, sign_in)


def app_sign_out(request):
    return as_an_app(request, test_middleware.sign_out)


def app_who(request):
    return as_an_app(request, lambda request: HttpResponse(str(_user_of(request).pk)))


def just_renew(request):
    renew(request)
    return HttpResponse(str(take_token(request)))


def confirm(request):
    """Confirm who the user is, as a page that asks for the password again does."""
    reauthenticated(request)
    return HttpResponse("ok")


def _user_of(request):
    from token_blacklist.middleware import get_user

    return get_user(request)


def replace(request):
    """Replace the session by a new one, as a password change by the API does."""
    assert request.user.is_authenticated
    user = get_user_model().objects.get(pk=request.POST["user"])
    replaced = request.POST["replaced"]
    user.set_password("a new password")
    user.save()
    with remembering(remembers(request, replaced)):
        token = RefreshToken.for_user(user, request)
    rebind(request, user, token, replaced=replaced)
    return HttpResponse(str(token))


views = [
    sign_in_briefly,
    sign_in_briefly_late,
    sign_in_and_out,
    sign_in_and_forget,
    sign_in_and_fail,
    sign_in_and_take,
    app_sign_in,
    app_sign_in_and_forget_to_take,
    app_sign_out,
    app_who,
    just_renew,
    replace,
    confirm,
]
urlpatterns = [
    *(path(f"{view.__name__}/", csrf_exempt(view)) for view in views),
    *test_middleware.urlpatterns,
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def pages_set_refresh_cookie(options, settings):
    options(
        PAGES_SET_REFRESH_COOKIE=True,
        REFRESH_TOKEN_LIFETIME=timedelta(days=1),
        SESSION_LIFETIME=timedelta(days=30),
        SHORT_SESSION_LIFETIME=timedelta(hours=12),
    )
    settings.SESSION_COOKIE_AGE = 30 * DAY
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": VALIDATOR}]


class OneBrowser(Browser):
    """A browser with a CSRF cookie, which calls the token endpoints."""

    def __init__(self, **options):
        super().__init__(enforce_csrf_checks=True, **options)
        self.cookies["csrftoken"] = "a" * 32

    def call(self, name, data=None, **extra):
        path = f"/api/token/{name}/" if name else "/api/token/"
        return self.post(path, data or {}, content_type="application/json", **extra)

    @property
    def csrf(self):
        """The CSRF header; its value changes at each sign-in."""
        return {"HTTP_X_CSRFTOKEN": self.cookies["csrftoken"].value}

    def refresh(self):
        return self.call("refresh", **self.csrf)

    def sign_out_by_token(self):
        return self.call("blacklist", **self.csrf)

    @property
    def token(self):
        return RefreshToken.authentic(self.cookies[COOKIE].value)

    def lose_cookie(self):
        del self.cookies[COOKIE]


@pytest.fixture
def browser():
    return OneBrowser()


@pytest.fixture
def row(browser, user):
    return browser.enter(user)


def twin_of(user):
    """Return another user with the same hash of the password."""
    twin = UserFactory()
    get_user_model().objects.filter(pk=twin.pk).update(password=user.password)
    return twin


def is_set(answer):
    return COOKIE in answer.cookies and answer.cookies[COOKIE].value != ""


def is_deleted(answer):
    return COOKIE in answer.cookies and answer.cookies[COOKIE].value == ""


def post_sign_in(browser, user, view="sign_in"):
    return browser.post(f"/{view}/", {"user": user.pk})


class TestTheCookieOfASignIn:
    def test_is_the_first_token_of_the_row(self, browser, user, clock):
        answer = post_sign_in(browser, user)

        row = OutstandingToken.objects.get()
        assert browser.token.payload == {
            "token_type": "refresh",
            "exp": int(row.expires_at.timestamp()),
            "iat": int(row.created_at.timestamp()),
            "jti": row.session_id,
            "user_id": user_id_claim(user),
            "sid": row.session_id,
            "auth_time": int(row.created_at.timestamp()),
        }
        assert row.expires_at == timezone.now().replace(microsecond=0) + timedelta(days=1)
        assert answer["Cache-Control"] == "no-store"

    def test_is_the_cookie_of_the_token_endpoints(self, browser, user):
        page = post_sign_in(browser, user).cookies[COOKIE]
        api = browser.refresh().cookies[COOKIE]

        attributes = ("path", "secure", "httponly", "samesite", "max-age", "domain")
        assert {name: page[name] for name in attributes} == {name: api[name] for name in attributes}
        assert (page["path"], page["httponly"], page["max-age"]) == ("/api/token/", True, DAY)

    def test_refreshes_the_row_of_the_page(self, browser, user, row):
        answer = browser.refresh()

        assert answer.status_code == HTTPStatus.OK
        assert AccessToken.authentic(answer.json()["access"]).get_user() == user
        row.refresh_from_db()
        assert (row.generation, OutstandingToken.objects.count()) == (1, 1)
        assert browser.is_user(user)

    def test_is_not_set_by_default(self, browser, user, options):
        options(PAGES_SET_REFRESH_COOKIE=False)

        answer = post_sign_in(browser, user)

        assert COOKIE not in answer.cookies
        assert "Cache-Control" not in answer

    @pytest.mark.parametrize("view", ["sign_in_and_out", "sign_in_and_forget", "sign_in_and_fail"])
    def test_is_not_set_if_the_django_session_does_not_remain(self, browser, user, view):
        assert not is_set(post_sign_in(browser, user, view))


class TestTheEndOfTheRow:
    def test_by_the_page_ends_the_tokens_and_deletes_the_cookie(self, browser, row):
        stolen = browser.cookies[COOKIE].value

        answer = browser.post("/sign_out/")

        assert is_deleted(answer)
        assert answer.cookies[COOKIE]["path"] == "/api/token/"
        assert end_of(row).reason == "logout"
        browser.cookies[COOKIE] = stolen
        assert browser.refresh().status_code == HTTPStatus.UNAUTHORIZED

    def test_by_the_token_signs_the_page_out(self, browser, user, row):
        key = browser.session.session_key

        answer = browser.sign_out_by_token()

        assert (answer.status_code, is_deleted(answer)) == (HTTPStatus.OK, True)
        assert end_of(row).reason == "logout"
        assert not browser.is_user(user)
        assert not SessionStore(key).exists(key)

    def test_elsewhere_deletes_the_cookie_with_the_next_page(self, browser, user, row):
        revoke_user(user, reason="admin")

        assert is_deleted(browser.get("/who/"))
        assert COOKIE not in browser.get("/who/").cookies

    def test_by_reuse_signs_the_page_out(self, browser, user, row):
        old = browser.cookies[COOKIE].value
        browser.refresh()
        browser.refresh()

        assert Device(user).refresh(old).status_code == HTTPStatus.UNAUTHORIZED
        assert not browser.is_user(user)


class TestANewPassword:
    def test_sets_the_cookie_of_the_new_row(self, browser, user, row):
        answer = browser.post("/change_password/")

        after = OutstandingToken.objects.live().get()
        assert after != row
        assert is_set(answer)
        assert browser.token["sid"] == after.session_id
        assert browser.is_user(user)

    def test_opens_no_row_if_the_former_one_is_live_or_nobody_is_signed_in(
        self, browser, user, row
    ):
        assert browser.post("/just_renew/").text == "None"
        assert OneBrowser().post("/just_renew/").text == "None"

        assert list(OutstandingToken.objects.all()) == [row]

    def test_set_elsewhere_renews_no_session(self, browser, user, row):
        set_password_elsewhere(user)
        revoke_user(user, reason="admin")

        assert browser.post("/just_renew/").text == "None"
        assert not OutstandingToken.objects.live().exists()


class TestATokenForTheAnswerOfAView:
    def test_can_be_taken_once_and_sets_no_cookie(self, browser, user):
        answer = post_sign_in(browser, user, "sign_in_and_take")

        token, again = answer.text.split()
        assert again == "None"
        assert not is_set(answer)
        assert RefreshToken(token)["sid"] == OutstandingToken.objects.get().session_id

    def test_does_not_change_the_browsers_own_session(self, browser, user, row):
        other, cookie = UserFactory(), browser.cookies[COOKIE].value

        signed_in = post_sign_in(browser, other, "app_sign_in")
        key = signed_in["X-Session-Token"]
        answers = [
            signed_in,
            post_sign_in(browser, other, "app_sign_in_and_forget_to_take"),
            browser.get("/app_who/", headers={"X-Session-Token": key}),
            browser.post("/app_sign_out/", headers={"X-Session-Token": key}),
        ]

        assert all(COOKIE not in answer.cookies for answer in answers)
        assert browser.cookies[COOKIE].value == cookie
        assert browser.is_user(user)
        assert is_live(row)
        assert browser.refresh().status_code == HTTPStatus.OK


class TestTheExpiry:
    def test_is_extended_by_pages_and_refreshes_alike(self, browser, user, clock, row):
        def expires_in():
            row.refresh_from_db()
            return row.expires_at - timezone.now().replace(microsecond=0)

        for use in (lambda: browser.get("/who/"), browser.refresh, lambda: browser.get("/who/")):
            clock.shift(2 * HOUR)
            use()
            assert expires_in() == timedelta(days=1)
        assert row.generation == 1

    def test_of_the_row_equals_that_of_the_token(self, browser, user, clock, row):
        clock.shift(2 * HOUR)
        browser.get("/who/")
        browser.lose_cookie()
        for _ in range(2):
            browser.refresh()
            row.refresh_from_db()
            assert browser.token.timestamp("exp") == row.expires_at

    def test_is_the_session_lifetime_at_the_latest(self, browser, user, clock, options):
        options(SESSION_LIFETIME=timedelta(hours=30))
        row = browser.enter(user)
        end = row.created_at.replace(microsecond=0) + timedelta(hours=30)

        clock.shift(20 * HOUR)
        browser.get("/who/")
        row.refresh_from_db()
        assert row.expires_at == end
        browser.refresh()
        row.refresh_from_db()
        assert row.expires_at == end
        clock.shift(10 * HOUR)
        assert not browser.is_user(user)


VIEWS_OF_SHORT_SESSIONS = ["sign_in_briefly", "sign_in_briefly_late"]


class TestASessionThatIsNotRemembered:
    @pytest.mark.parametrize("view", VIEWS_OF_SHORT_SESSIONS)
    def test_of_a_page_is_short_and_its_cookie_ends_with_the_browser(
        self, browser, user, clock, view
    ):
        cookie = post_sign_in(browser, user, view).cookies[COOKIE]

        row = OutstandingToken.objects.get()
        end = row.created_at.replace(microsecond=0) + timedelta(hours=12)
        assert (cookie["max-age"], cookie["expires"]) == ("", "")
        assert browser.token["remember"] is False
        assert row.expires_at == browser.token.timestamp("exp") == end

        clock.shift(6 * HOUR)
        assert browser.is_user(user)
        cookie = browser.refresh().cookies[COOKIE]
        assert (cookie["max-age"], cookie["expires"]) == ("", "")
        row.refresh_from_db()
        assert row.expires_at == end
        clock.shift(6 * HOUR)
        assert not browser.is_user(user)

    def test_is_still_not_remembered_after_a_refresh_without_the_cookie(self, browser, user):
        post_sign_in(browser, user, "sign_in_briefly")
        browser.lose_cookie()

        cookie = browser.refresh().cookies[COOKIE]

        assert cookie["max-age"] == ""
        assert browser.token["remember"] is False


class TestARefreshWithoutTheCookie:
    def test_is_accepted_with_the_django_session(self, browser, user, row):
        browser.lose_cookie()

        answer = browser.refresh()

        assert answer.status_code == HTTPStatus.OK
        assert answer.json().keys() == {"access"}
        assert is_set(answer)
        row.refresh_from_db()
        assert row.generation == browser.token.generation == 1
        assert browser.refresh().status_code == HTTPStatus.OK

    def test_continues_at_the_rows_generation(self, browser, user, row, clock):
        browser.refresh()
        clock.shift(60)
        browser.lose_cookie()

        assert browser.refresh().status_code == HTTPStatus.OK
        assert browser.token.generation == 2

    def test_soon_after_another_returns_the_same_response(self, browser, user, row, clock):
        first = browser.refresh()
        clock.shift(4)
        browser.lose_cookie()

        again = browser.refresh()

        assert again.json() == first.json()
        assert again.cookies[COOKIE].value == first.cookies[COOKIE].value

    @pytest.mark.parametrize("seconds", [5, 11])
    def test_later_than_that_is_not_reuse(self, browser, user, row, clock, seconds):
        browser.refresh()
        clock.shift(seconds)
        browser.lose_cookie()

        assert browser.refresh().status_code == HTTPStatus.OK
        assert is_live(row)

    @pytest.mark.parametrize("call", ["refresh", "blacklist"])
    def test_needs_the_csrf_token(self, browser, row, call):
        browser.lose_cookie()

        answer = browser.call(call)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "csrf_failed"
        row.refresh_from_db()
        assert (row.generation, is_live(row)) == (0, True)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda user: revoke_user(user, reason="admin"),
            set_password_elsewhere,
            lambda user: get_user_model().objects.filter(pk=user.pk).update(is_active=False),
            lambda user: OutstandingToken.objects.update(expires_at=timezone.now()),
            lambda user: OutstandingToken.objects.update(user=twin_of(user)),
            lambda user: OutstandingToken.objects.all().delete(),
        ],
        ids=["ended", "password", "inactive", "expired", "of another", "deleted"],
    )
    def test_is_refused_if_a_page_would_refuse_the_django_session(self, browser, user, row, spoil):
        browser.lose_cookie()
        spoil(user)
        ended = BlacklistedToken.objects.count()

        answer = browser.refresh()

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.json()["code"] == "not_signed_in"
        assert BlacklistedToken.objects.count() == ended

    def test_is_refused_if_pages_set_refresh_cookie_is_off(self, browser, row, options):
        options(PAGES_SET_REFRESH_COOKIE=False)
        browser.lose_cookie()

        assert browser.refresh().status_code == HTTPStatus.UNAUTHORIZED

    def test_is_refused_if_nobody_is_signed_in(self, user):
        stranger = OneBrowser()
        session = stranger.session
        session["a basket"] = "of a visitor"
        session.save()

        assert stranger.refresh().status_code == HTTPStatus.UNAUTHORIZED

    def test_works_for_signing_out_as_well(self, browser, user, row):
        browser.lose_cookie()

        answer = browser.sign_out_by_token()

        assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {})
        assert (end_of(row).reason, end_of(row).blacklisted_by) == ("logout", user)
        assert not browser.is_user(user)


class TestAReplacedSession:
    def test_of_another_user_does_not_affect_the_page(self, browser, user, row):
        other = UserFactory()
        replaced = OneBrowser().enter(other)

        browser.post("/replace/", {"user": other.pk, "replaced": replaced.session_id})

        assert browser.is_user(user)
        assert session_id_of(browser) == row.session_id


class TestStatements:
    def test_a_refresh_by_the_cookie_is_one_update(self, browser, row):
        with statements("UPDATE"):
            assert browser.refresh().status_code == HTTPStatus.OK

    def test_a_refresh_without_cookie_and_django_session_sends_no_statement(self):
        with statements():
            OneBrowser().refresh()

    def test_a_refresh_by_the_django_session_is_that_and_one_select_more(self, browser, row):
        browser.lose_cookie()

        with statements("SELECT", "SELECT", "UPDATE"):
            browser.refresh()


def test_a_cookie_token_for_an_older_row_expires_with_the_row(browser, user, options):
    options(PAGES_SET_REFRESH_COOKIE=False)
    row = browser.enter(user)
    options(PAGES_SET_REFRESH_COOKIE=True)

    assert browser.refresh().status_code == HTTPStatus.OK
    row.refresh_from_db()
    assert datetime.fromtimestamp(browser.token["exp"], UTC) == row.expires_at


class TestConfirmingWhoTheUserIs:
    @pytest.fixture
    def earlier(self, browser, row, clock):
        """The refresh token of a session that was opened an hour ago."""
        browser.refresh()
        clock.shift(HOUR)
        return browser.token

    def test_leaves_the_tokens_of_other_tabs_valid_and_as_old_as_they_are(self, browser, earlier):
        browser.post("/confirm/")

        pair = earlier.refresh()

        assert AccessToken.authentic(pair["access"])["auth_time"] == earlier["auth_time"]

    def test_lasts_when_the_refresh_cookie_is_lost_and_the_row_prolonged(
        self, browser, user, earlier, clock
    ):
        browser.post("/confirm/")
        confirmed = browser.token["auth_time"]
        clock.shift(2 * HOUR)
        assert browser.is_user(user)
        browser.lose_cookie()

        access = AccessToken.authentic(browser.refresh().json()["access"])

        assert access["auth_time"] == confirmed

    def test_of_an_ended_session_gives_nothing(self, browser, row, user):
        revoke_user(user, reason=BlacklistedToken.Reason.ADMIN)

        assert not is_set(browser.post("/confirm/"))
