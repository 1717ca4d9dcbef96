"""Page requests of one Django session concurrent with its end."""

import pytest
from django.test import Client

from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.middleware import PROLONG_INTERVAL, ROW_KEY
from token_blacklist.models import BlacklistedToken, OutstandingToken

from .conftest import ROUNDS, THREADS

pytestmark = pytest.mark.slow


@pytest.fixture
def staff(transactional_db):
    return UserFactory(admin=True)


def signed_in(staff):
    browser = Client()
    browser.force_login(staff)
    return browser


def copies(browser, count):
    """Return clients with the browser's cookies: a client cannot be shared by threads."""
    clients = [Client() for _ in range(count)]
    for client in clients:
        client.cookies = browser.cookies.copy()
    return clients


def due(browser):
    """Make the next request extend the sessions."""
    session = browser.session
    session[ROW_KEY] = {
        **session[ROW_KEY],
        "prolonged": session[ROW_KEY]["prolonged"] - PROLONG_INTERVAL.total_seconds(),
    }
    session.save()
    return browser


def get(client):
    return lambda: client.get("/admin/jsi18n/").status_code


@pytest.mark.parametrize("is_due", [False, True], ids=["each request", "each hour"])
def test_no_page_request_is_signed_in_after_a_concurrent_sign_out(staff, together, is_due):
    for _ in range(ROUNDS):
        browser = signed_in(staff)
        if is_due:
            due(browser)
        *readers, leaver, later = copies(browser, THREADS + 1)

        *answers, out = together(
            *[get(client) for client in readers],
            lambda client=leaver: client.post("/admin/logout/").status_code,
        )

        assert out == 200
        # Django answers 400 to a request that saves a session deleted at the same time.
        assert set(answers) <= ({200, 302, 400} if is_due else {200, 302})
        assert get(later)() == 302
    assert not OutstandingToken.objects.live().exists()
    assert BlacklistedToken.objects.count() == ROUNDS


def test_no_page_request_is_signed_in_after_a_concurrent_sign_out_everywhere(staff, together):
    for _ in range(ROUNDS):
        browser = due(signed_in(staff))
        device = Device(staff)
        device.log_in()
        *readers, later = copies(browser, THREADS)

        *answers, out = together(
            *[get(client) for client in readers],
            lambda d=device: d.http.delete("/api/sessions/?all=true", **d.bearer).status_code,
        )

        assert out == 200
        assert set(answers) <= {200, 302, 400}
        assert get(later)() == 302
        assert not OutstandingToken.objects.live().exists()


def test_concurrent_page_sign_outs_all_succeed_and_create_one_record(staff, together):
    for _ in range(ROUNDS):
        clients = copies(signed_in(staff), THREADS)

        answers = together(*[lambda c=c: c.post("/admin/logout/").status_code for c in clients])

        assert set(answers) <= {200, 302}
    assert BlacklistedToken.objects.count() == ROUNDS


def test_no_sign_in_with_the_old_password_survives_a_concurrent_change(staff, together):
    form = {"login": staff.email, "password": PASSWORD}

    def change():
        user = type(staff).objects.get(pk=staff.pk)
        user.set_password("a new password")
        user.save()

    for _ in range(ROUNDS):
        type(staff).objects.filter(pk=staff.pk).update(password=staff.password)
        clients = [Client() for _ in range(THREADS - 1)]

        together(*[lambda c=c: c.post("/login/", form) for c in clients], change)

        assert {get(client)() for client in clients} == {302}
        assert not OutstandingToken.objects.live().exists()


def without_refresh_cookie(browser, count):
    clients = copies(browser, count)
    for client in clients:
        del client.cookies["refresh_token"]
    return clients


def refresh(client):
    return lambda: client.post("/api/token/refresh/", {}, content_type="application/json")


def page(staff):
    """Return a browser that has signed in on a page, with its refresh cookie."""
    browser = Client()
    browser.post("/login/", {"login": staff.get_username(), "password": PASSWORD})
    assert browser.cookies["refresh_token"].value
    return browser


def test_concurrent_refreshes_without_the_cookie_get_one_successor(staff, together):
    for _ in range(ROUNDS):
        answers = together(*[refresh(c) for c in without_refresh_cookie(page(staff), THREADS)])

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.cookies["refresh_token"].value for answer in answers}) == 1
        assert OutstandingToken.objects.latest("pk").generation == 1
    assert not BlacklistedToken.objects.exists()


@pytest.mark.parametrize("path_of_sign_out", ["/admin/logout/", "/api/token/blacklist/"])
def test_no_refresh_without_the_cookie_works_after_a_concurrent_sign_out(
    staff, together, path_of_sign_out
):
    for _ in range(ROUNDS):
        browser = page(staff)
        *readers, later = without_refresh_cookie(browser, THREADS)
        (leaver,) = copies(browser, 1)

        *answers, out = together(
            *[refresh(client) for client in readers],
            lambda client=leaver: client.post(
                path_of_sign_out, {}, content_type="application/json"
            ),
        )

        assert out.status_code == 200
        assert {answer.status_code for answer in answers} <= {200, 401}
        for client in (later, *readers):
            assert refresh(client)().status_code == 401
    assert not OutstandingToken.objects.live().exists()
