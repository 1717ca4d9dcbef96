"""The log of an outage of the database, and the answers during it."""

import io
import json
import logging
import logging.config

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from config.monitoring import outage

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}
SIGN_IN = {"email": "ada@example.com", "password": "x"}


@pytest.fixture
def away(db):
    """A database that fails each statement: `away()`, or `away(InterfaceError)`, with `with`."""

    def fail_with(error=OperationalError):
        def fail(*call):
            raise error("secret-host refused")

        return connection.execute_wrapper(fail)

    return fail_with


@pytest.fixture
def log(monkeypatch):
    """Read what the project's own handler writes, in a process that has just started."""
    monkeypatch.setattr(outage, "outage", outage.Outage())
    (handler,) = (
        handler
        for handler in logging.getLogger().handlers
        if any(isinstance(it, outage.FirstTraceback) for it in handler.filters)
    )
    made = logging.config.DictConfigurator(settings.LOGGING)
    form = made.configure_formatter(dict(settings.LOGGING["formatters"]["json"]))
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    monkeypatch.setattr(handler, "formatter", form)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def seconds(monkeypatch):
    """A clock that stands still until the test moves it: `seconds[0] += 5`."""
    now = [1000.0]
    monkeypatch.setattr(outage, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def visitor():
    """A browser that signed in to the admin before."""
    visitor = Client(raise_request_exception=False, **BROWSER)
    visitor.cookies["sessionid"] = "a" * 32
    return visitor


@pytest.fixture
def sign_in(client):
    """A request that asks the database, whatever was answered before."""
    return lambda: client.post("/api/token/", SIGN_IN, "application/json")


def tracebacks(lines):
    return [line for line in lines if "exc_info" in line]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/admin/"),
        ("post", "/admin/login/"),
        ("get", "/password/reset/MQ/a-link-0123/"),
        ("post", "/password/reset/"),
    ],
)
def test_each_page_answers_503_without_the_database(away, visitor, method, path, error):
    form = SIGN_IN | {"username": "ada@example.com"}
    with away(error):
        answer = getattr(visitor, method)(path, *[form] * (method == "post"))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "The site is busy or restarting." in answer.text
    assert "css/site.css" in answer.text
    assert "secret-host" not in answer.text


def test_a_program_is_told_in_json(away, visitor):
    with away():
        answer = visitor.get("/admin/", HTTP_ACCEPT="application/json")

    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"


def test_a_failure_outside_of_the_view_is_503_too(away, visitor, monkeypatch):
    """Such as of the middleware that stores the session."""

    def fail(*call):
        raise OperationalError("secret-host refused")

    monkeypatch.setattr(
        "django.contrib.sessions.middleware.SessionMiddleware.process_response", fail
    )

    answer = visitor.get("/login/")

    assert answer.status_code == 503
    assert "The site is busy or restarting." in answer.text


def test_the_page_is_in_the_language_of_its_reader(away, visitor):
    with away():
        answer = visitor.get("/admin/", headers={"accept-language": "de"})

    assert "Versuchen Sie es gleich noch einmal" in answer.text


def test_an_outage_is_logged_with_one_traceback(away, visitor, log):
    with away():
        for _request in range(2):
            visitor.get("/admin/")
            visitor.post("/api/token/", SIGN_IN, "application/json")
            visitor.get("/health/ready/")

    assert len(tracebacks(log())) == 1
    assert sum(line["level"] == "ERROR" for line in log()) >= 6
    assert len(json.dumps(log()[-1])) < 500


def test_its_end_is_one_line_and_the_next_outage_has_a_traceback_again(away, sign_in, log, seconds):
    with away():
        sign_in()
    seconds[0] += outage.QUIET
    for _request in range(2):
        sign_in()
    with away():
        sign_in()

    ends = [line for line in log() if line["message"] == "the database answers again"]
    assert len(ends) == 1
    assert len(tracebacks(log())) == 2


def test_reads_that_succeed_between_writes_that_fail_do_not_end_an_outage(
    away, sign_in, log, seconds
):
    for _request in range(3):
        with away():
            sign_in()
        seconds[0] += 1
        sign_in()

    assert len(tracebacks(log())) == 1


def test_other_errors_keep_their_tracebacks(log):
    for _time in range(2):
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("some.library").exception("it broke")

    assert len(tracebacks(log())) == 2
