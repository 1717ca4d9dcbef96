"""What is read from another server is bounded in bytes and in time, whatever it sends."""

import ssl
import time

import pytest

from tests.support.certificates import write_certificate
from tests.support.issuer import MEBIBYTE, WRONG, issuing, ok, right, sent
from token_blacklist import fetch
from token_blacklist.fetch import StatusError, fetch_json

ENDLESS = [name for name in WRONG if "gigabyte" in name or "without an end" in name]
SLOW = [name for name in WRONG if "slow" in name]


@pytest.fixture
def issuer():
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def new_opener():
    """The environment is read again, before the test and after it."""
    fetch._opener.cache_clear()
    yield
    fetch._opener.cache_clear()


@pytest.mark.parametrize("name", SLOW)
def test_a_byte_at_a_time_does_not_put_off_the_deadline(issuer, name):
    issuer.answers["/"] = [WRONG[name]]
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        fetch_json(f"{issuer.url}/", seconds=0.5, most=MEBIBYTE)

    assert 0.4 < time.monotonic() - began < 1.5


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_without_an_end_is_not_read_to_its_end(issuer, name):
    issuer.answers["/"] = [WRONG[name]]

    with pytest.raises(Exception):  # noqa: B017, PT011  # of any class
        fetch_json(f"{issuer.url}/", seconds=1, most=MEBIBYTE)

    if "continue" not in name:  # which is not kept, and ends with the time
        assert issuer.bytes_sent < 32 * MEBIBYTE  # with what the system keeps on the way


def test_an_answer_may_have_as_many_bytes_as_said_and_no_more(issuer):
    issuer.answers["/"] = [right("x" * 98)]

    assert fetch_json(f"{issuer.url}/", seconds=5, most=100) == "x" * 98
    with pytest.raises(ValueError, match="99 bytes"):
        fetch_json(f"{issuer.url}/", seconds=5, most=99)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 401, 500])
def test_any_other_status_than_200_is_an_error_and_no_redirect_is_followed(issuer, status):
    head = f"HTTP/1.1 {status} Oh\r\nLocation: {issuer.url}/stolen\r\nContent-Length: 0\r\n\r\n"
    issuer.answers["/"] = [sent(head.encode())]

    with pytest.raises(StatusError) as raised:
        fetch_json(f"{issuer.url}/", {"Authorization": "Basic secret"}, seconds=5, most=100)

    assert raised.value.status == status
    assert issuer.asked == ["GET / HTTP/1.1"]


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "data:,1", "keys"])
def test_nothing_but_http_is_read(url):
    with pytest.raises((OSError, ValueError)):
        fetch_json(url, seconds=1, most=100)


def test_chunks_and_a_body_that_ends_with_the_connection_are_read(issuer):
    chunks = b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
    issuer.answers["/"] = [sent(ok(chunks, "Transfer-Encoding: chunked"))]
    issuer.answers["/old"] = [sent(b"HTTP/1.0 200 OK\r\n\r\n[1,", b"2]")]

    for path in ("/", "/old"):
        assert fetch_json(f"{issuer.url}{path}", seconds=5, most=100) == [1, 2]


def test_the_proxy_of_the_environment_is_used(issuer, monkeypatch, new_opener):
    monkeypatch.setenv("http_proxy", issuer.url)
    issuer.answers["http://auth.example.com/keys"] = [right([])]

    assert fetch_json("http://auth.example.com/keys", seconds=5, most=100) == []


def test_https_has_the_same_limits_and_an_unknown_certificate_is_refused(
    tmp_path, monkeypatch, new_opener
):
    path = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    with issuing(context) as issuer:
        issuer.answers |= {"/": [right([1])], "/slow": [WRONG["slow body"]]}
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch_json(f"{issuer.url}/", seconds=5, most=100)

        fetch._opener.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(path))

        assert fetch_json(f"{issuer.url}/", seconds=5, most=100) == [1]
        # Of the answer, or on a busy machine of the handshake.
        with pytest.raises(OSError, match=r"takes too long|timed out"):
            fetch_json(f"{issuer.url}/slow", seconds=0.5, most=100)
