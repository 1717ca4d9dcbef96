"""The WSGI application, below Django's own error handling."""

import io

import pytest
from django.test import RequestFactory

from config.wsgi import application


@pytest.mark.parametrize(
    "charset",
    ["rot13", "base64", "zlib", "nonsense", "utf-16", "UTF-8", '"\x00"', "idna", "latin-1"],
)
def test_a_charset_of_any_kind_is_no_error_of_ours(db, charset):
    body = b'{"refresh": "x"}'
    environ = RequestFactory().post("/").environ | {
        "PATH_INFO": "/api/token/refresh/",
        "QUERY_STRING": "x=1",
        "CONTENT_TYPE": f"application/json; charset={charset}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    started = []

    answer = application(environ, lambda status, headers: started.append(status))

    assert started == ["401 Unauthorized"]
    assert b"token_not_valid" in b"".join(answer)


def test_a_form_with_a_charset_keeps_its_boundary(db):
    body = b'--x\r\nContent-Disposition: form-data; name="refresh"\r\n\r\nnone\r\n--x--\r\n'
    environ = RequestFactory().post("/").environ | {
        "PATH_INFO": "/api/token/refresh/",
        "CONTENT_TYPE": "multipart/form-data; boundary=x; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    started = []

    answer = application(environ, lambda status, headers: started.append(status))

    assert started == ["401 Unauthorized"]
    assert b"Token is invalid" in b"".join(answer)
