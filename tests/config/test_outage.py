"""A database outage: the responses and the log."""

import io
import json
import logging
import logging.config

import pytest
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.test import Client

from config.monitoring.logs import TracebackFilter
from tests.support.parts import only_with

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}
SIGN_IN = {"email": "ada@example.com", "password": "x"}


@pytest.fixture
def outage(db):
    """Make each statement fail: `with away():`, or with another error `away(InterfaceError)`."""

    def fail_with(error=OperationalError):
        def fail(*call):
            raise error("secret-host refused")

        return connection.execute_wrapper(fail)

    return fail_with


def is_ours(it):
    return isinstance(it, TracebackFilter)


@pytest.fixture
def log(monkeypatch):
    """The log as the project's handler writes it in a new process."""
    handlers = logging.getLogger().handlers
    (handler,) = (handler for handler in handlers if any(map(is_ours, handler.filters)))
    monkeypatch.setattr(next(filter(is_ours, handler.filters)), "kept_at", {})
    made = logging.config.DictConfigurator(settings.LOGGING)
    form = made.configure_formatter(dict(settings.LOGGING["formatters"]["json"]))
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    monkeypatch.setattr(handler, "formatter", form)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def monotonic_clock(monkeypatch):
    """A clock that stands still until the test moves it: `seconds[0] += 5`."""
    now = [0.0]
    monkeypatch.setattr("config.monitoring.logs.monotonic", lambda: now[0])
    return now


@pytest.fixture
def visitor():
    """A browser that signed in to the admin before."""
    visitor = Client(raise_request_exception=False, **BROWSER)
    visitor.cookies["sessionid"] = "a" * 32
    return visitor


@pytest.fixture
def sign_in(client):
    """Send a request that always uses the database."""
    return lambda: client.post("/api/token/", SIGN_IN, "application/json")


def tracebacks(lines):
    return [line for line in lines if "exc_info" in line]


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("get", "/admin/", OperationalError),
        ("get", "/admin/", InterfaceError),
        *only_with("pages", ("get", "/password/reset/key/1-a-link-0123/", OperationalError)),
        *only_with("pages", ("post", "/password/reset/", OperationalError)),
    ],
)
def test_every_page_is_503_without_the_database(outage, visitor, method, path, error):
    form = SIGN_IN | {"username": "ada@example.com"}
    with outage(error):
        answer = getattr(visitor, method)(path, *[form] * (method == "post"))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "The site is busy or restarting." in answer.text
    assert "<h1>" in answer.text
    assert "secret-host" not in answer.text


def test_a_503_is_json_for_programs(outage, visitor):
    with outage():
        answer = visitor.get("/admin/", HTTP_ACCEPT="application/json")

    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"


def test_an_outage_outside_of_the_view_is_503_too(outage, visitor, monkeypatch):
    """For example in the middleware that saves the session."""

    def fail(*call):
        raise OperationalError("secret-host refused")

    monkeypatch.setattr(
        "django.contrib.sessions.middleware.SessionMiddleware.process_response", fail
    )

    answer = visitor.get("/login/")

    assert answer.status_code == 503
    assert "The site is busy or restarting." in answer.text


def test_an_outage_is_logged_with_one_traceback_per_minute_and_logger(
    outage, visitor, sign_in, log, monotonic_clock
):
    with outage():
        for second in (0, 59, 60):
            monotonic_clock[0] = second
            visitor.get("/admin/")
            sign_in()
            visitor.get("/health/ready/")

    loggers = [line["logger"] for line in tracebacks(log())]
    assert len(set(loggers)) > 1
    assert all(loggers.count(name) == 2 for name in loggers)
    assert sum(line["level"] == "ERROR" for line in log()) >= 9


def test_wrong_sql_keeps_its_tracebacks(db, log):
    for _time in range(2):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        except DatabaseError:
            logging.getLogger("some.library").exception("it broke")

    assert len(tracebacks(log())) == 2
