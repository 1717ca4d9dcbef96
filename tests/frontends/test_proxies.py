"""Caddy and nginx with the files of examples/frontends: what they serve, and what they forward."""

from __future__ import annotations

import json
import shutil
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.production import wait_for
from tests.support.proxy import Proxy
from tests.support.server import free_port, serving

from .serving import start_caddy, start_nginx

pytestmark = pytest.mark.process

START = {"caddy": start_caddy, **({"nginx": start_nginx} if shutil.which("nginx") else {})}
SECURE = (
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
)


class Upstream(BaseHTTPRequestHandler):
    """Answers with the request."""

    def do_GET(self):
        body = json.dumps({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args):
        """Keep the output of the tests clean."""


@pytest.fixture(scope="module", params=START)
def proxy(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    folder.chmod(0o755)
    app = folder / "app"
    (app / "assets").mkdir(parents=True)
    (app / "index.html").write_text("the page")
    (app / "assets" / "app-1a2b.js").write_text("the script")
    upstream = ThreadingHTTPServer(("127.0.0.1", free_port()), Upstream)
    proxy = Proxy(folder)
    with serving(upstream):
        root = START[request.param](proxy, f"http://127.0.0.1:{upstream.server_port}", app)

        def ready():
            proxy.tls = ssl.create_default_context(cafile=str(root))
            return proxy.call("/")[0] == 200

        wait_for(ready)
        yield proxy
        proxy.stop()


@pytest.mark.parametrize("path", ["/", "/orders/7", "/apiary/", "/metrics", "/health/ready/"])
def test_a_path_that_is_not_djangos_gets_the_page(proxy, path):
    status, headers, body = proxy.call(path)

    assert (status, body) == (200, b"the page")
    assert headers["Cache-Control"] == "no-cache"
    assert all(len(headers.get_all(name)) == 1 for name in SECURE)


def test_a_file_of_the_build_is_cached_for_a_year_and_an_older_one_is_a_404(proxy):
    status, headers, body = proxy.call("/assets/app-1a2b.js")
    gone, gone_headers, _page = proxy.call("/assets/app-9f9f.js")

    assert (status, body) == (200, b"the script")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert all(len(headers.get_all(name)) == 1 for name in SECURE)
    assert (gone, gone_headers["Cache-Control"]) == (404, None)


@pytest.mark.parametrize("path", ["/api/me/?a=b", "/_allauth/browser/v1/config", "/icon.svg"])
def test_a_path_of_django_is_forwarded_with_the_host_and_the_address_of_the_client(proxy, path):
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http"}
    status, headers, sent = proxy.call(path, host=f"localhost:{proxy.https}", **forged)

    assert (status, sent["path"]) == (200, path)
    assert sent["host"] == f"localhost:{proxy.https}"
    assert (sent["x-forwarded-for"], sent["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert not any(headers.get_all(name) for name in SECURE)  # Django's pages have their own
