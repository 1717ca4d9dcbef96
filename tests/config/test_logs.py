"""The log, as text or JSON: one line per request, with its id and without secrets."""

import io
import json
import logging
import logging.config
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import path

from config.middleware.access import HEADER, AccessMiddleware
from config.monitoring.logs import PathFilter, request_id
from config.urls import urlpatterns as project_urls
from tests.support.devices import Device
from tests.support.factories import UserFactory
from token_blacklist.models import OutstandingToken
from token_blacklist.tokens import RefreshToken

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig_na-ture"


def broken(request):
    raise RuntimeError("broken")


urlpatterns = [*project_urls, path("broken/", broken)]


@pytest.fixture
def log(request):
    """The log as one of the project's formatters writes it, which is JSON by default."""
    kind = getattr(request, "param", "json")
    made = logging.config.DictConfigurator(settings.LOGGING)
    handler = logging.StreamHandler(io.StringIO())
    for name in settings.LOGGING["handlers"]["console"]["filters"]:
        handler.addFilter(made.configure_filter(dict(settings.LOGGING["filters"][name])))
    handler.setFormatter(made.configure_formatter(dict(settings.LOGGING["formatters"][kind])))
    root = logging.getLogger()
    root.addHandler(handler)
    handler.kind = kind
    yield handler
    root.removeHandler(handler)


each_format = pytest.mark.parametrize("log", ["line", "json"], indirect=True)


def lines(log):
    text = log.stream.getvalue().splitlines()
    return [json.loads(line) for line in text] if log.kind == "json" else text


@each_format
@pytest.mark.parametrize("given", ["0123456789abcdef", "Root=1-67891233-abcdef"])
def test_a_given_request_id_is_returned_and_logged_in_each_line(client, log, given):
    answer = client.get("/api/nothing/", headers={HEADER: given})

    assert answer.headers[HEADER] == given
    assert all(given[:8] in str(line) for line in lines(log))
    assert request_id.get() == "-"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a\tb-and-more"])
def test_an_invalid_request_id_is_replaced(client, db, given):
    answer = client.get("/api/docs/", headers={HEADER: given})

    assert answer.headers[HEADER] != given
    assert len(answer.headers[HEADER]) == 32


@each_format
def test_a_request_is_logged_in_one_line_with_its_route_and_no_query_string(client, log, db):
    client.get("/api/docs/?next=/account/&secret=1")

    (line,) = (line for line in lines(log) if "/api/docs/" in str(line))
    assert "secret" not in str(line)
    if log.kind == "json":
        facts = {
            "logger": "config.middleware.access",
            "level": "INFO",
            "method": "GET",
            "status": 200,
        }
        assert line.items() >= {**facts, "route": "/api/docs/", "ip": "127.0.0.1"}.items()
        assert line["ms"] >= 0
        assert line["time"].endswith("+0000")
    else:
        assert " INFO config.middleware.access [" in line


@pytest.mark.parametrize(
    ("wanted", "drawn", "written"),
    [
        ("on", 0.99, ["/api/docs/", "-"]),
        ("errors", 0.0, ["-"]),
        ("off", 0.0, []),
        ("0.1", 0.09, ["/api/docs/", "-"]),
        ("0.1", 0.11, ["-"]),
    ],
)
def test_access_log_selects_which_requests_are_logged(
    log, db, settings, monkeypatch, wanted, drawn, written
):
    settings.ACCESS_LOG = wanted
    monkeypatch.setattr("random.random", lambda: drawn)
    client = Client()

    client.get("/api/docs/")
    client.get("/nothing/")

    told = [line for line in lines(log) if "config.middleware.access" in str(line)]
    assert [line["route"] for line in told] == written


@each_format
@pytest.mark.parametrize("place", ["/nothing/", "/api/token/blacklist/", "/broken/"])
def test_a_failed_request_is_logged_without_its_query_string(log, place, settings):
    settings.ROOT_URLCONF = __name__

    answer = Client(raise_request_exception=False).get(f"{place}?password=hunter2")

    assert answer.status_code >= 400
    assert len(lines(log)) >= 2
    assert "hunter2" not in log.stream.getvalue()


@each_format
def test_a_refused_referer_is_logged_without_its_query_string(log):
    Client(enforce_csrf_checks=True).post(
        "/admin/login/",
        secure=True,
        headers={"referer": 'https://elsewhere.example/?a="\\&password=hunter2'},
    )

    assert "Referer checking failed" in log.stream.getvalue()
    assert "hunter2" not in log.stream.getvalue()
    assert lines(log)


RESET_KEY = "MQ/a-live-link-0123"
RESET_PATH = "/password/reset/key/1-a-live-link-0123/"
UNKNOWN = {
    f"//{RESET_KEY}/": "/",
    "/a-live-link-0123": "/",
    f"/password/reset/{RESET_KEY}/./and/more": "/password",
    f"/PASSWORD/RESET/{RESET_KEY}/": "/PASSWORD",
    f"/password%2Freset%2F{RESET_KEY}/": "/password",
    f"/password\u2215reset\u2215{RESET_KEY}/": "/password",
    f"/password reset {RESET_KEY}/": "/password",
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_path_is_logged_by_its_first_part_and_length(client, log, path):
    sent = path.encode().decode("latin-1")  # as servers give it to applications

    client.get("/", PATH_INFO=sent)

    length = len(path)
    assert f"Not Found: {UNKNOWN[path]} ({length} characters)" in log.stream.getvalue()
    assert "a-live-link" not in log.stream.getvalue()


def test_a_path_without_its_last_slash_is_not_logged(client, log, db):
    client.get(f"/password/reset/{RESET_KEY}")
    client.post(f"/password/reset/{RESET_KEY}")

    assert log.stream.getvalue()
    assert "a-live-link" not in log.stream.getvalue()


@pytest.mark.pages
def test_a_known_path_is_logged_as_its_route(log, db):
    client = Client(enforce_csrf_checks=True)
    route = "/password/reset/key/<uidb36>-<key>/"
    client.post(RESET_PATH)
    client.put(RESET_PATH, secure=True, headers={"referer": f"https://x/{RESET_KEY}"})
    Client().delete("/api/token/")
    Client().get("/api/me/")
    Client().get(f"/api/{RESET_KEY}/")

    text = log.stream.getvalue()
    assert text.count(f"): {route}") == 2
    assert "Method Not Allowed: /api/token/" in text
    assert "Unauthorized: /api/me/" in text
    assert "Not Found: /api/" in text
    assert "a-live-link" not in text


@pytest.mark.parametrize(
    ("line", "args", "written"),
    [
        (
            "Error handling request %s",
            (f"//{RESET_KEY}/",),
            "Error handling request / (22 characters)",
        ),
        (
            "Error handling request %s %s",
            ("GET", f"/x%2F{RESET_KEY}/?y"),
            "Error handling request GET /x (27 characters)",
        ),
        (
            f"Invalid request from ip=192.0.2.1: Invalid HTTP request line: 'GET /{RESET_KEY}'",
            (),
            "Invalid request from ip=192.0.2.1: Invalid HTTP request line: [text]",
        ),
        (
            f'Invalid request from ip=192.0.2.1: Invalid HTTP Header: "x\'{RESET_KEY}"',
            (),
            "Invalid request from ip=192.0.2.1: Invalid HTTP Header: [text]",
        ),
    ],
)
def test_gunicorn_logs_no_text_of_a_malformed_request(log, line, args, written):
    logger = logging.getLogger("gunicorn.error")
    logger.addFilter(again := PathFilter())  # gunicorn and Django both configure the logger
    logger.warning(line, *args)
    logger.removeFilter(again)

    assert written in log.stream.getvalue()
    assert "a-live-link" not in log.stream.getvalue()


def test_a_request_with_an_unknown_host_is_not_logged_as_an_error(log):
    Client(headers={"host": "elsewhere.example"}).get("/api/docs/")

    assert "ERROR" not in log.stream.getvalue()
    assert "400" in log.stream.getvalue()


def test_health_checks_are_not_logged(client, log, db):
    client.get("/health/live/")
    client.get("/health/ready/")

    assert log.stream.getvalue() == ""


@each_format
@pytest.mark.shows_tokens  # in what pytest itself keeps of the log
def test_a_token_in_any_log_message_traceback_or_path_is_masked(client, log):
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logging.getLogger("some.library").exception("got %s", TOKEN)
    client.get(f"/api/{TOKEN}/")
    client.get(f"/{TOKEN}")

    text = log.stream.getvalue()
    assert "eyJ" not in text
    assert "sig_na-ture" not in text
    assert text.count("[token]") == 2
    assert "Not Found: / (" in text


EVENTS = "token_blacklist.events"
ACCESS = "config.middleware.access"


def told(log):
    """Return the logger and the event of each line that has an event."""
    if log.kind == "json":
        return [(line["logger"], line["event"]) for line in lines(log) if "event" in line]
    return re.findall(r"(\S+) \[\S+\]: .*?\b(token_[a-z]+) ", log.stream.getvalue())


@pytest.mark.django_db(transaction=True)
class TestEvents:
    @each_format
    def test_the_event_of_a_request_is_in_its_line(self, log):
        user = UserFactory()
        device = Device(user)

        device.log_in()
        device.refresh()
        device.log_out()

        names = ["token_issued", "token_refreshed", "token_blacklisted"]
        assert told(log) == [(ACCESS, name) for name in names]
        assert len(lines(log)) == 3
        first, *_, last = lines(log)
        if log.kind == "json":
            assert (
                first.items() >= {"route": "/api/token/", "status": 200, "ip": "127.0.0.1"}.items()
            )
            assert str(first["user_id"]) == str(user.pk)
            assert len(first["session_id"]) == 32
            assert last["reason"] == "logout"
        else:
            assert "POST /api/token/ 200 " in first
            session_id = OutstandingToken.objects.get().session_id
            assert f" ms token_issued session_id={session_id} user_id={user.pk}" in first

    @pytest.mark.parametrize("wanted", ["off", "errors"])
    def test_where_the_request_is_not_logged_the_event_is(self, log, settings, wanted):
        settings.ACCESS_LOG = wanted

        Device(UserFactory()).log_in()

        assert told(log) == [(EVENTS, "token_issued")]
        assert len(lines(log)) == 1

    def test_each_further_event_of_a_request_is_a_line_of_its_own(self, log, options):
        options(MAX_SESSIONS_PER_USER=1)
        user = UserFactory()
        Device(user).log_in()
        log.stream = io.StringIO()

        Device(user).log_in()

        assert told(log) == [(ACCESS, "token_issued"), (EVENTS, "token_blacklisted")]
        assert len(lines(log)) == 2

    def test_a_reuse_is_a_warning_of_its_own(self, log, clock):
        device = Device(UserFactory())
        device.log_in()
        old = device.refresh_token
        device.refresh()
        clock.shift(11)

        device.refresh(old)

        assert (EVENTS, "token_reused") in told(log)
        (line,) = (line for line in lines(log) if "token_reused" in str(line))
        assert "WARNING" in str(line)
        assert (ACCESS, "token_blacklisted") in told(log)

    def test_an_event_of_a_request_that_breaks_off_is_not_lost(self, log, rf):
        def view(request):
            RefreshToken.for_user(UserFactory())
            raise SystemExit

        with pytest.raises(SystemExit):
            AccessMiddleware(view)(rf.get("/"))

        assert told(log) == [(EVENTS, "token_issued")]

    @each_format
    @pytest.mark.shows_tokens  # in what pytest itself keeps of the log
    def test_what_a_client_sends_is_redacted_in_the_line_of_the_request(self, log):
        device = Device(UserFactory(), HTTP_USER_AGENT=f"/a?password=hunter2 {TOKEN}")
        device.log_in()
        old = device.refresh_token
        device.refresh()

        device.refresh(old)

        assert (ACCESS, "token_repeated") in told(log)
        assert "eyJ" not in log.stream.getvalue()
        assert "hunter2" not in log.stream.getvalue()
