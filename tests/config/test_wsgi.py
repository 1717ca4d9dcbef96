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
