"""Request bodies: size limit, encoding, and that none stays in memory."""

import gc
import io
import json
import tracemalloc
from contextlib import contextmanager
from http import HTTPStatus
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from rest_framework.test import APIClient

from tests.support.factories import PASSWORD
from tests.support.introspection import SECRET, basic, digest
from tests.support.parts import only_with

MAX_BODY = 64 * 1024
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ENDPOINTS = [
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
    *only_with("sliding", "/api/token/sliding/", "/api/token/sliding/refresh/"),
    *only_with("services", "/api/token/introspect/"),
    "/api/me/",
    "/api/password/change/",
]
TOKEN = "/api/token/"
TOO_LARGE = {"detail": "The request body is too large.", "code": "payload_too_large"}
MALFORMED = {"detail": "The request body is malformed.", "code": "parse_error"}


@pytest.fixture(autouse=True)
def billing(settings):
    """A service that may introspect tokens."""
    clients = {"INTROSPECTION_CLIENTS": {"billing": [digest(SECRET)]}}
    settings.TOKEN_BLACKLIST = {**settings.TOKEN_BLACKLIST, **clients}


READ = {200, 400, 401}  # the body was read: 400 names the missing fields, 401 the missing token


@pytest.fixture
def send(device):
    """Send a body to an endpoint as a client that may use it: `send(path, body, type)`."""

    def send(path, body, content_type=JSON, **extra):
        credentials = {
            "/api/token/introspect/": basic("billing", SECRET),
            "/api/me/": f"Bearer {device.access}",
            "/api/password/change/": f"Bearer {device.access}",
        }
        if path in credentials:
            extra["HTTP_AUTHORIZATION"] = credentials[path]
        method = "PATCH" if path == "/api/me/" else "POST"
        return APIClient().generic(method, path, body, content_type, **extra)

    return send


def padded(size, start=b'{"x": "', end=b'"}'):
    return start + b"x" * (size - len(start) - len(end)) + end


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_body_above_64_kib_is_413(send, path):
    fits = send(path, padded(MAX_BODY))
    refused = send(path, padded(MAX_BODY + 1))

    assert fits.status_code in READ
    assert (refused.status_code, refused.json()) == (413, TOO_LARGE)


def test_a_form_above_64_kib_is_413(send):
    assert send(TOKEN, padded(MAX_BODY, b"x=", b""), FORM).status_code in READ
    assert send(TOKEN, padded(MAX_BODY + 1, b"x=", b""), FORM).json() == TOO_LARGE


def test_a_multipart_form_above_64_kib_is_413(send):
    form = encode_multipart(BOUNDARY, {"x": "x" * MAX_BODY})

    assert send(TOKEN, form, MULTIPART_CONTENT).json() == TOO_LARGE


@pytest.mark.parametrize("length", ["", "0", "-1", "10", "nonsense"])
@pytest.mark.parametrize("size", [100, 2 * 1024 * 1024])
def test_a_wrong_content_length_is_no_server_error(send, length, size):
    answer = send(TOKEN, padded(size), CONTENT_LENGTH=length)

    assert answer.status_code in {400, 401, 413}


def test_a_length_above_the_limit_is_413_before_the_body_is_read(send):
    assert send(TOKEN, b"{}", CONTENT_LENGTH=str(10**12)).json() == TOO_LARGE


def test_data_upload_max_memory_size_lowers_the_limit(send, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    assert send("/api/token/verify/", padded(1000)).status_code == HTTPStatus.BAD_REQUEST
    assert send("/api/token/verify/", padded(1001)).json() == TOO_LARGE


@pytest.mark.pages
def test_pages_take_larger_forms(client, db):
    form = {"email": "ada@example.com", "padding": "x" * 2 * MAX_BODY}

    assert client.post("/password/reset/", form).status_code == HTTPStatus.FOUND


UNENCODABLE = {
    "a value": b'{"email": "\\ud800", "x": 1}',
    "a key": b'{"\\udfff": 1}',
    "a nested value": b'{"x": [{"y": ["\\uD800"]}]}',
    "a nested key": b'{"x": [{"\\ud800": 1}]}',
    "half of a pair": b'{"x": "\\ud83d\\ud83d\\ude00"}',
    "the other way round": b'{"x": "\\ude00\\ud83d"}',
}


@pytest.mark.parametrize("body", UNENCODABLE)
def test_text_that_cannot_be_encoded_is_refused(send, body):
    for path in ENDPOINTS:
        answer = send(path, UNENCODABLE[body])
        assert (answer.status_code, answer.json()) == (HTTPStatus.BAD_REQUEST, MALFORMED)


@pytest.mark.parametrize("text", ["x=%ED%A0%80", "%ED%A0%80=x", "x=%FF", "x=\udcff", "x=%C3&x=%A4"])
def test_text_that_cannot_be_encoded_is_refused_in_a_form(send, text):
    answer = send(TOKEN, text.encode("utf-8", "surrogateescape"), FORM)

    assert (answer.status_code, answer.json()) == (HTTPStatus.BAD_REQUEST, MALFORMED)


def test_text_that_cannot_be_encoded_is_refused_in_a_multipart_form(send):
    form = encode_multipart(BOUNDARY, {"x": "mark"}).replace(b"mark", b"\xed\xa0\x80")

    answer = send(TOKEN, form, MULTIPART_CONTENT)

    assert (answer.status_code, answer.json()) == (HTTPStatus.BAD_REQUEST, MALFORMED)


@pytest.mark.parametrize("name", ["😀", "ä\\u00e4", "\\ud83d\\ude00", "\\\\ud800"])
def test_all_other_text_is_accepted(send, name):
    answer = send("/api/me/", f'{{"name": "{name}"}}'.encode())

    assert answer.json()["name"] == json.loads(f'"{name}"')


@pytest.mark.parametrize("body", [b'"text"', b"1", b"null", b"true", b"[]"])
def test_a_json_body_that_is_not_an_object_is_refused(send, body):
    for path in ENDPOINTS:
        assert send(path, body).status_code == HTTPStatus.BAD_REQUEST


def keys(letter):
    return json.dumps({f"{letter}{n}": n for n in range(5_000)}).encode()


def texts(letter):
    names = ("email", "username", "password", "name", "transport", "refresh", "token", "uid")
    long = dict.fromkeys(names, letter * 6000)
    return json.dumps({**long, "old_password": letter * 6_000, "new_password": letter}).encode()


def form(letter):
    return "&".join(f"{letter}{n}={letter * 60}" for n in range(900)).encode()


def long_form(letter):
    return f"token={letter * 25_000}&refresh={letter * 25_000}".encode()


def multipart(letter):
    return encode_multipart(BOUNDARY, {"token": letter * 25_000, "refresh": letter * 25_000})


def file(letter):
    upload = SimpleUploadedFile("x.txt", letter.encode() * 50_000, content_type="text/plain")
    return encode_multipart(BOUNDARY, {"token": upload})


BODIES = {
    "many keys": (keys, JSON),
    "long texts": (texts, JSON),
    "cut off": (lambda letter: keys(letter)[:-1], JSON),
    "a surrogate": (lambda letter: texts(letter)[:-1] + b', "\\ud800": 1}', JSON),
    "too large": (lambda letter: keys(letter) * 20, JSON),
    "another type": (keys, "text/plain"),
    "a form": (form, FORM),
    "a long form": (long_form, FORM),
    "a multipart form": (multipart, MULTIPART_CONTENT),
    "a file": (file, MULTIPART_CONTENT),
}
# In bytes. A response, its headers and its objects have no single block of this size.
LARGE_BLOCK = 4_000


@contextmanager
def keeping_connections():
    """Keep the connection of the test's transaction, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class MemoryProbe:
    """Measures what stays in memory after a request, without the garbage collector."""

    def __init__(self):
        self.application = WSGIHandler()

    def serve(self, path, body, content_type, authorization=""):
        """Answer a request as a server does; return the status."""
        environ = {
            "REQUEST_METHOD": "PATCH" if path == "/api/me/" else "POST",
            "PATH_INFO": path,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": authorization,
            "REMOTE_ADDR": "192.0.2.1",
            "wsgi.input": (stream := io.BytesIO(body)),
        }
        setup_testing_defaults(environ)
        statuses = []
        with keeping_connections():
            response = self.application(environ, lambda status, headers: statuses.append(status))
            b"".join(response)
            response.close()
        stream.close()  # a server discards what was not read
        return int(statuses[0][:3])

    def after(self, make, path, *args):
        """Return the status, and the sizes of the large blocks of memory that stay."""
        self.serve(path, make("a"), *args)  # fill caches
        for letter in "bc":  # the second time, Python's own tables do not grow again
            status, large = self.measured(path, make(letter), *args)
            if not large:
                break
        return status, large

    def measured(self, *request):
        gc.disable()
        tracemalloc.start()
        try:
            status = self.serve(*request)
            traces = tracemalloc.take_snapshot().traces
        finally:
            tracemalloc.stop()
            gc.enable()
        return status, [str(trace) for trace in traces if trace.size > LARGE_BLOCK]


@pytest.fixture
def memory():
    return MemoryProbe()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", [TOKEN, "/api/me/"])
def test_no_memory_of_a_refused_requests_body_is_kept(memory, device, path, body):
    make, content_type = BODIES[body]

    status, large = memory.after(make, path, content_type, f"Bearer {device.access}")

    assert status in {200, 400, 401, 413, 415}
    assert large == []


def test_no_memory_of_a_rate_limited_requests_body_is_kept(memory, db, settings):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/d/ip"}

    assert memory.after(texts, "/api/token/", JSON) == (429, [])
    cache.clear()


def test_no_memory_of_a_successful_requests_body_is_kept(memory, user, device):
    def signing_in(letter):
        credentials = {"email": user.email, "password": PASSWORD}
        return json.dumps({**credentials, "padding": {letter: [letter * 50_000]}}).encode()

    def verified(letter):
        return json.dumps({"token": device.access, "padding": letter * 50_000}).encode()

    def renamed(letter):
        return json.dumps({"name": letter, "padding": letter * 50_000}).encode()

    bearer = f"Bearer {device.access}"
    assert memory.after(signing_in, "/api/token/", JSON) == (200, [])
    assert memory.after(verified, "/api/token/verify/", JSON) == (200, [])
    assert memory.after(renamed, "/api/me/", JSON, bearer) == (200, [])
    for path in only_with("services", "/api/token/introspect/"):
        assert memory.after(verified, path, JSON, basic("billing", SECRET)) == (200, [])
