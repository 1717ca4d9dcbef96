"""Caddy and nginx in front of the app, with the project's files, outside DEBUG."""

from __future__ import annotations

import http.client
import json
import shutil

import pytest

from tests.support.production import SIGN_UP, wait_for
from tests.support.proxy import in_front_of

pytestmark = [pytest.mark.process, pytest.mark.postgresql]

PROXIES = ["caddy", *(["nginx"] if shutil.which("nginx") else [])]
PASSWORD = "a long and good password"


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request, app, proxies):
    """A proxy in front of the app, with the file of the deployment."""
    proxy = proxies()
    in_front_of(app, proxy, request.param)
    return proxy


def test_a_session_opened_through_the_proxy_has_the_address_of_the_client(proxy):
    user = {"email": f"{proxy.https}@example.com", "password": PASSWORD}
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "Forwarded": "for=x"}

    assert proxy.call(SIGN_UP, user, **forged)[0] == 200
    status, headers, pair = proxy.call("/api/token/", user, **forged)
    _status, _headers, sessions = proxy.call(
        "/api/sessions/", Authorization=f"Bearer {pair['access']}"
    )

    assert status == 200
    assert "max-age" in headers["Strict-Transport-Security"]  # the app sees TLS
    assert [session["ip"] for session in sessions] == ["127.0.0.1"] * 2  # one is from the sign-up


def test_the_proxy_redirects_to_tls_and_publishes_no_metrics(proxy, monkeypatch):
    for path in ("/metrics", "/health/ready/", "/health/live/"):
        assert proxy.call(path)[0] == 404

    monkeypatch.setattr(proxy, "tls", None)
    status, headers, _body = proxy.call("/login/")

    assert status == 308
    assert headers["Location"].startswith("https://localhost")


@pytest.mark.services
@pytest.mark.parametrize("kind", PROXIES)
def test_a_site_behind_forward_auth_is_served_to_live_sessions_only(app, proxies, kind):
    """The site's name is not in ALLOWED_HOSTS, and its requests to the app do not use TLS."""
    proxy = proxies()
    site = proxy.folder / "site"
    site.mkdir(mode=0o755)
    (site / "index.html").write_text("for members")
    name = "static.example.com"
    if kind == "nginx":
        proxy.nginx(
            proxy.changed(
                "deploy/forward_auth/nginx.conf",
                ("listen 80;", f"listen 127.0.0.1:{proxy.http};"),
                ("root /srv/site;", f"root {site};"),
                ("127.0.0.1:8000", f"127.0.0.1:{app}"),
            )
        )
    else:
        proxy.caddy(
            "{\n\tadmin off\n}\n"
            + proxy.changed(
                "deploy/forward_auth/Caddyfile",
                (f"{name} {{", f"http://{name}:{proxy.http} {{"),
                ("/srv/site", site),
                ("127.0.0.1:8000", f"127.0.0.1:{app}"),
            )
        )
    wait_for(lambda: proxy.call("/", host=name)[0])
    user = {"email": f"{kind}@example.com", "password": PASSWORD}
    direct(app, SIGN_UP, user)
    pair = direct(app, "/api/token/", user)
    token = {"Authorization": f"Bearer {pair['access']}"}

    assert proxy.call("/", host=name)[0] == 401
    status, headers, page = proxy.call("/", host=name, **token)
    assert (status, page) == (200, b"for members")
    if kind == "nginx":
        assert headers["X-Auth-User"]
        assert headers["X-Auth-Session"]
        assert proxy.call("/_check", host=name, **token)[0] == 404

    direct(app, "/api/token/blacklist/", {"refresh": pair["refresh"]})
    assert proxy.call("/", host=name, **token)[0] == 401


def direct(app: int, path: str, body):
    """Send a request to the app as its own proxy does."""
    connection = http.client.HTTPConnection("127.0.0.1", app, timeout=30)
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-Proto": "https",
        "Host": "localhost",
    }
    connection.request("POST", path, json.dumps(body), headers | {"X-Forwarded-For": "192.0.2.7"})
    response = connection.getresponse()
    found = json.load(response)
    connection.close()
    assert response.status < 300, found
    return found
