"""Error responses outside of the views: 400, 403, 404 and 500."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from config import urls
from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import OutstandingToken

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def failing(monkeypatch):
    """A client, and a page that raises an exception."""

    def fail(*args):
        raise RuntimeError("secret-of-the-house")

    monkeypatch.setattr("django.views.generic.base.TemplateView.get", fail)
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_api_path_is_404_in_json(client, settings, debug, method):
    settings.DEBUG = debug

    answer = getattr(client, method)("/api/nothing/")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no endpoint at this address.", "code": "not_found"}


def test_an_endpoint_appended_to_urlpatterns_is_served(client):
    urls.urlpatterns.append(path("api/late/", lambda request: HttpResponse("here")))
    try:
        answer = client.get("/api/late/")
        meant = client.get("/api/late").json()["detail"]
    finally:
        urls.urlpatterns.pop()

    assert (answer.status_code, answer.text) == (200, "here")
    assert meant.endswith("Did you mean /api/late/?")
    assert client.get("/api/late/").status_code == 404


def test_an_unknown_path_is_a_page_for_browsers_and_json_for_programs(client):
    page = client.get("/nothing/", **BROWSER)
    json = client.get("/nothing/", HTTP_ACCEPT="application/json")

    assert (page.status_code, json.status_code) == (404, 404)
    assert "There is no page at this address." in page.text
    assert json.json()["code"] == "not_found"


def test_a_500_response_contains_no_details_of_the_exception(failing):
    page = failing.get("/theme.css", **BROWSER)
    json = failing.get("/theme.css", HTTP_ACCEPT="application/json")

    assert (page.status_code, json.status_code) == (500, 500)
    assert "The error is on our side." in page.text
    assert json.json()["code"] == "error"
    assert "secret-of-the-house" not in page.text + json.text


def test_an_unknown_host_is_refused_with_a_page_or_json(client):
    page = client.get("/", HTTP_HOST="evil.example", **BROWSER)
    json = client.post("/api/token/refresh", HTTP_HOST="evil.example")

    assert page.status_code == 400
    assert "The server cannot process this request." in page.text
    assert json.status_code in {400, 404}
    assert json.json()["code"] in {"bad_request", "not_found"}


def test_a_form_without_a_csrf_token_gets_403_with_advice():
    strict = Client(enforce_csrf_checks=True)

    page = strict.post("/admin/login/", {"username": "ada@example.com"}, **BROWSER)
    json = strict.post("/admin/login/", HTTP_ACCEPT="application/json")

    assert (page.status_code, json.status_code) == (403, 403)
    assert "Go back, reload it and try again." in page.text
    assert json.json()["code"] == "csrf_failed"


@pytest.fixture
def unmigrated(transactional_db):
    """A browser that is signed in to the admin, and a database that lacks a table."""
    browser = Client(raise_request_exception=False, **BROWSER)
    browser.force_login(UserFactory(admin=True))
    table = OutstandingToken._meta.db_table
    with connection.schema_editor() as schema:
        schema.alter_db_table(OutstandingToken, table, "elsewhere")
    yield browser
    with connection.schema_editor() as schema:
        schema.alter_db_table(OutstandingToken, "elsewhere", table)


PAGE = "/admin/token_blacklist/outstandingtoken/"


def ask(browser):
    """Return the answers of the API and of a page."""
    body = {"email": "a@example.com", "password": PASSWORD}
    return [browser.post("/api/token/", body, "application/json"), browser.get(PAGE)]


def test_a_missing_table_is_500_with_its_name_in_the_log(unmigrated, caplog):
    UserFactory(email="a@example.com")

    api, page = ask(unmigrated)

    assert (api.status_code, api.json()["code"]) == (500, "error")
    assert page.status_code == 500
    assert "The error is on our side." in page.text
    for asked in ("/api/token/", PAGE):
        (record,) = (it for it in caplog.records if it.getMessage().endswith(f"Error: {asked}"))
        assert OutstandingToken._meta.db_table in str(record.exc_info[1])
