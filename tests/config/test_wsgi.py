"""The WSGI application: its start, and requests below Django's own error handling."""

import io
import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from config.wsgi import application
from tests.support.checkout import ROOT

WSGI = str(ROOT / "config/wsgi.py")


@pytest.fixture
def start(monkeypatch):
    """Load the module as each gunicorn worker does."""
    monkeypatch.setattr("django.core.wsgi.get_wsgi_application", lambda: None)
    return lambda: runpy.run_path(WSGI, run_name="config.wsgi")


def test_a_server_does_not_start_with_keys_that_the_checks_refuse(start, options):
    options(ALGORITHM="HS512", SIGNING_KEY="x" * 40)

    with pytest.raises(ImproperlyConfigured, match="at least 64 random bytes"):
        start()


def test_a_server_does_not_start_without_static_files(start, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    hashed = {"staticfiles": {"BACKEND": "config.static.HashedFiles"}}
    settings.STORAGES = settings.STORAGES | hashed

    with pytest.raises(ImproperlyConfigured, match=r"Run: manage\.py collectstatic --no-input"):
        start()


@pytest.mark.translations
@pytest.mark.parametrize("compiled", [True, False])
def test_a_server_without_compiled_translations_starts_and_warns(
    start, settings, tmp_path, caplog, compiled
):
    source = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.touch()
    if compiled:
        source.with_suffix(".mo").touch()
    settings.LOCALE_PATHS = [tmp_path]

    start()

    assert ("Run: manage.py compilemessages" in caplog.text) is not compiled


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
    ["rot13", "nonsense", "utf-16", '"\x00"'],
)
def test_no_charset_causes_a_server_error(db, charset):
    started, answer = refresh(b'{"refresh": "x"}', f"application/json; charset={charset}", "x=1")

    assert started == ["401 Unauthorized"]
    assert b"token_not_valid" in answer


@pytest.mark.parametrize("name", ["boundary*", "charset*"])
@pytest.mark.parametrize("value", ["rot13''%41", "\x00''%41"])
def test_no_encoded_content_type_parameter_causes_a_server_error(db, name, value):
    parameters = f"application/json; {name}={value}; x*1=y"
    started, _answer = refresh(b'{"refresh": "x"}', parameters, "x=1")

    assert started == ["401 Unauthorized"]


@pytest.mark.parametrize("boundary", ["", '"\x00"', "x; boundary*=rot13''x"])
def test_a_multipart_form_with_an_invalid_boundary_is_refused(db, boundary):
    started, _answer = refresh(b"--x", f"multipart/form-data; boundary={boundary}")

    assert started[0][:3] in {"400", "401"}


def test_a_multipart_form_with_a_charset_keeps_its_boundary(db):
    body = b'--x\r\nContent-Disposition: form-data; name="refresh"\r\n\r\nnone\r\n--x--\r\n'

    started, answer = refresh(body, "multipart/form-data; boundary=x; charset=utf-8")

    assert started == ["401 Unauthorized"]
    assert b"Token is invalid" in answer
