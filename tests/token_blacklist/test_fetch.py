"""Fetching JSON from another server: limits of size and time, redirects, TLS."""

import ssl

import pytest

from tests.support.certificates import write_certificate
from tests.support.issuer import WRONG, issuing, ok, right, sent
from token_blacklist import fetch
from token_blacklist.fetch import StatusError, fetch_json


@pytest.fixture
def issuer():
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def new_opener():
    """Clear the cached opener before and after the test, so that it reads the environment."""
    fetch._opener.cache_clear()
    yield
    fetch._opener.cache_clear()


def test_a_response_above_the_maximum_of_bytes_is_refused(issuer):
    issuer.answers["/"] = [right("x" * 98)]

    assert fetch_json(f"{issuer.url}/", seconds=5, most=100) == "x" * 98
    with pytest.raises(ValueError, match="99 bytes"):
        fetch_json(f"{issuer.url}/", seconds=5, most=99)


@pytest.mark.parametrize("status", [204, 302, 307, 500])
def test_a_status_other_than_200_is_an_error_and_redirects_are_not_followed(issuer, status):
    head = f"HTTP/1.1 {status} Oh\r\nLocation: {issuer.url}/stolen\r\nContent-Length: 0\r\n\r\n"
    issuer.answers["/"] = [sent(head.encode())]

    with pytest.raises(StatusError) as raised:
        fetch_json(f"{issuer.url}/", {"Authorization": "Basic secret"}, seconds=5, most=100)

    assert raised.value.status == status
    assert issuer.asked == ["GET / HTTP/1.1"]


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "data:,1", "keys"])
def test_a_url_that_is_not_http_or_https_is_refused(url):
    with pytest.raises((OSError, ValueError)):
        fetch_json(url, seconds=1, most=100)


def test_chunked_bodies_and_bodies_that_end_with_the_connection_are_read(issuer):
    chunks = b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
    issuer.answers["/"] = [sent(ok(chunks, "Transfer-Encoding: chunked"))]
    issuer.answers["/old"] = [sent(b"HTTP/1.0 200 OK\r\n\r\n[1,", b"2]")]

    for path in ("/", "/old"):
        assert fetch_json(f"{issuer.url}{path}", seconds=5, most=100) == [1, 2]


def test_the_proxy_from_the_environment_is_used(issuer, monkeypatch, new_opener):
    monkeypatch.setenv("http_proxy", issuer.url)
    issuer.answers["http://auth.example.com/keys"] = [right([])]

    assert fetch_json("http://auth.example.com/keys", seconds=5, most=100) == []


def test_https_has_the_same_timeout_and_refuses_an_unknown_certificate(
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
        # The timeout of the response, or on a busy machine of the handshake.
        with pytest.raises(OSError, match=r"takes too long|timed out"):
            fetch_json(f"{issuer.url}/slow", seconds=0.3, most=100)
