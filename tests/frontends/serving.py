"""The app of examples/frontends: built, and served with Django behind Caddy, nginx or Vite."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support import deployment as files
from tests.support.certificates import write_certificate
from tests.support.checkout import ROOT, bare_environment
from tests.support.production import answers, production, started, wait_for
from tests.support.proxy import Proxy
from tests.support.server import call, database, free_port

APP = ROOT / "examples" / "frontends"
CLIENT = ROOT / "clients" / "js"
KINDS = ["vite", "caddy", *(["nginx"] if shutil.which("nginx") else [])]
PASSWORD = "a long and good password"
SECRET = "JBSWY3DPEHPK3PXP"  # of the authenticator app
FACTOR = "factor@example.com"
USERS = 20
SEED = f"""
from allauth.mfa.totp.internal.auth import TOTP
from accounts.models import User, verify
for name in ("factor", *(f"user{{n}}" for n in range({USERS}))):
    verify(User.objects.create_user(f"{{name}}@example.com", "{PASSWORD}"))
TOTP.activate(User.objects.get(email="{FACTOR}"), "{SECRET}")
"""
# nginx's own file with the types of files is beside its nginx.conf, which the tests replace.
TYPES = "types { text/html html; text/javascript js; text/css css; }\n"


@dataclass(frozen=True)
class Site:
    kind: str
    url: str
    django: str  # not through the proxy
    mails: Path
    users: Iterator[str]  # e-mail addresses, each for one test

    def call(self, path: str, body: Any = None, access: str = "", method: str = "") -> Any:
        """Send a request to Django, as another device does; return its status and JSON."""
        headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}
        headers["User-Agent"] = "Phone/1.0 (Android 14)"
        if access:
            headers["Authorization"] = f"Bearer {access}"
        connection = http.client.HTTPConnection(urlsplit(self.django).netloc, timeout=30)
        data = None if body is None else json.dumps(body)
        connection.request(method or ("POST" if data else "GET"), path, data, headers)
        response = connection.getresponse()
        found = response.read()
        connection.close()
        return response.status, json.loads(found) if found else None

    def in_e_mail(self, email: str, pattern: str) -> str:
        """Return the line of an e-mail to this address that has the pattern, when it was sent."""
        found: list[str] = []

        def arrived() -> list[str]:
            for path in self.mails.iterdir():
                text = path.read_text(encoding="utf-8")
                if f"To: {email}" in text:
                    found.extend(re.findall(rf"(?m)^({pattern})$", text))
            return found

        wait_for(arrived)
        return found[0]


def run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"


def build() -> Path:
    """Install and build the client and the app as their READMEs say; return the built app."""
    if not shutil.which("npm"):
        sys.exit("npm was not found. Install Node.js 20.19 or later.")
    for folder in (CLIENT, APP):
        run("npm", "ci", "--loglevel=error", cwd=folder)
        run("npm", "run", "build", cwd=folder)
    return APP / "dist"


@contextmanager
def django(project: Path, folder: Path, **variables: str) -> Iterator[str]:
    """Serve a copy of the project with the users; give its URL."""
    with database(folder) as url:
        env = production(project, folder, url) | {
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
            "DEFAULT_FROM_EMAIL": "accounts@example.com",
            "RATE_LIMITS": "False",  # all tests use one address
            "LOG_LEVEL": "ERROR",  # an unread pipe blocks after 64 KiB
            **variables,
        }
        for command in (("migrate",), ("shell", "-c", SEED)):
            run(sys.executable, "manage.py", *command, cwd=project, env=env)
        with started(files.docker_command(), project, env) as server:
            address = f"http://127.0.0.1:{env['PORT']}"
            wait_for(lambda: answers(address))
            yield address
            server.terminate()
            server.wait(timeout=30)


@contextmanager
def in_front(kind: str, upstream: str, app: Path, folder: Path) -> Iterator[str]:
    """Serve the app and Django on one origin; give its URL."""
    if kind == "vite":
        port = free_port()
        options = ("--host", "127.0.0.1", "--port", str(port), "--strictPort")
        env = bare_environment(DJANGO=upstream)
        url = f"http://localhost:{port}"
        with started([str(APP / "node_modules/.bin/vite"), *options], APP, env) as server:
            wait_for(lambda: call(f"{url}/api/token/csrf/")[0] == 200)
            yield url
            server.terminate()
            server.wait(timeout=20)
        return
    proxy = Proxy(folder)
    try:
        root = (start_nginx if kind == "nginx" else start_caddy)(proxy, upstream, app)

        def ready() -> bool:
            proxy.tls = ssl.create_default_context(cafile=str(root))
            return proxy.call("/api/token/csrf/")[0] == 200

        wait_for(ready)
        yield f"https://localhost:{proxy.https}"
    finally:
        proxy.stop()


def start_caddy(proxy: Proxy, upstream: str, app: Path) -> Path:
    """Start Caddy with the example's file; return the certificate that a client has to trust."""
    ports = f"http_port {proxy.http}\n\thttps_port {proxy.https}\n\tadmin off\n"
    text = proxy.changed(
        "examples/frontends/Caddyfile", ("\tskip_install_trust", f"\t{ports}\tskip_install_trust")
    )
    proxy.caddy(text, SITE_ADDRESS="localhost", UPSTREAM=upstream, APP=str(app))
    return proxy.folder / "data/caddy/pki/authorities/local/root.crt"


def start_nginx(proxy: Proxy, upstream: str, app: Path) -> Path:
    """Start nginx with the example's file; return the certificate that a client has to trust."""
    certificate = write_certificate(proxy.folder)  # nginx reads both from one file
    live = "/etc/letsencrypt/live/app.example.com"
    text = proxy.changed(
        "examples/frontends/nginx.conf",
        ("listen 80;", f"listen 127.0.0.1:{proxy.http};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl;", f"listen 127.0.0.1:{proxy.https} ssl;"),
        ("listen [::]:443 ssl;", ""),
        (f"{live}/fullchain.pem", certificate),
        (f"{live}/privkey.pem", certificate),
        ("app.example.com", "localhost"),
        ("root /srv/app;", f"root {app};"),
        ("http://127.0.0.1:8000", upstream),
        ("Host $host;", f"Host $host:{proxy.https};"),  # a port of its own, for the tests alone
    )
    proxy.nginx(TYPES + text)
    return certificate
