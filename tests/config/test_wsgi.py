"""The WSGI application, below Django's own error handling."""

import io

import pytest
from django.test import RequestFactory

from config.wsgi import application


def refresh(body, content_type, query=""):
    """Send the body to the refresh endpoint; return the status and the body of the response."""
    environ = RequestFactory().post("/").environ | {
        "PATH_INFO": "/api/token/refresh/",
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    started = []
    answer = application(environ, lambda status, headers: started.append(status))
    return started, b"".join(answer)


@pytest.mark.parametrize(
    "charset",
    ["rot13", "base64", "zlib", "nonsense", "utf-16", "UTF-8", '"\x00"', "idna", "latin-1"],
)
def test_no_charset_causes_a_server_error(db, charset):
    started, answer = refresh(b'{"refresh": "x"}', f"application/json; charset={charset}", "x=1")

    assert started == ["401 Unauthorized"]
    assert b"token_not_valid" in answer


@pytest.mark.parametrize("name", ["x*", "boundary*", "charset*", "x*0*", "charset*a"])
@pytest.mark.parametrize("value", ["rot13''%41", "nonsense''%41", "''", "\x00''%41"])
def test_no_encoded_content_type_parameter_causes_a_server_error(db, name, value):
    parameters = f"application/json; {name}={value}; x*1=y"
    started, _answer = refresh(b'{"refresh": "x"}', parameters, "x=1")

    assert started == ["401 Unauthorized"]


@pytest.mark.parametrize("boundary", ["", '"', '"\x00"', "\xff", "x; boundary*=rot13''x"])
def test_a_multipart_form_with_an_invalid_boundary_is_400(db, boundary):
    started, _answer = refresh(b"--x", f"multipart/form-data; boundary={boundary}")

    assert started == ["400 Bad Request"]


def test_a_multipart_form_with_a_charset_keeps_its_boundary(db):
    body = b'--x\r\nContent-Disposition: form-data; name="refresh"\r\n\r\nnone\r\n--x--\r\n'

    started, answer = refresh(body, "multipart/form-data; boundary=x; charset=utf-8")

    assert started == ["401 Unauthorized"]
    assert b"Token is invalid" in answer
