"""Caddy and nginx in front of the app, with the files of the deployment."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import deployment as files
from .certificates import write_certificate
from .production import wait_for
from .server import free_port

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CADDY = Path(sys.executable).parent / "caddy"


class Proxy:
    """Runs Caddy or nginx with a file of ours, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http, self.https = free_port(), free_port()
        self.tls: ssl.SSLContext | None = None
        self.processes: list[subprocess.Popen[bytes]] = []

    def changed(self, name: str, *changes: tuple[str, object]) -> str:
        text = files.text(name)
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, str(after))
        return text

    def caddy(self, text: str, **variables: str) -> None:
        (self.folder / "Caddyfile").write_text(text)
        self.start(
            [str(CADDY), "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            {"XDG_DATA_HOME": f"{self.folder}/data", "XDG_CONFIG_HOME": f"{self.folder}/config"}
            | variables,
        )

    def nginx(self, text: str) -> None:
        folders = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in TEMPORARY)
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off;\npid {self.folder}/nginx.pid;\n"
            f"error_log {self.folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{folders}{text}}}\n"
        )
        where = ["-p", str(self.folder), "-c", f"{self.folder}/nginx.conf"]
        self.start(["nginx", *where, "-e", f"{self.folder}/start.log"], {})

    def start(self, command: list[str], variables: dict[str, str]) -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        with (self.folder / "log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT
                )
            )

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
            process.wait(timeout=20)

    def call(
        self, path: str, body: Any = None, *, host: str = "localhost", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, Any]:
        """Send a request, over TLS if there is any; return status, headers and body."""
        if self.tls:
            connection = http.client.HTTPSConnection("localhost", self.https, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.http)
        connection.timeout = 30
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body), "application/json"
        connection.request("GET" if body is None else "POST", path, data, {"Host": host, **headers})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.status, response.headers, json.loads(text) if is_json and text else text


def in_front_of(app: int, proxy: Proxy, kind: str) -> None:
    """Start the proxy of the deployment, with TLS."""
    if kind == "nginx":
        root = write_certificate(proxy.folder)  # nginx reads both from one file
        live = "/etc/letsencrypt/live/app.example.com"
        proxy.nginx(
            proxy.changed(
                "deploy/nginx.conf",
                ("listen 80;", f"listen 127.0.0.1:{proxy.http};"),
                ("listen [::]:80;", ""),
                ("listen 443 ssl;", f"listen 127.0.0.1:{proxy.https} ssl;"),
                ("listen [::]:443 ssl;", ""),
                (f"{live}/fullchain.pem", root),
                (f"{live}/privkey.pem", root),
                ("app.example.com", "localhost"),
                ("127.0.0.1:8000", f"127.0.0.1:{app}"),
            )
        )
    else:
        ports = f"http_port {proxy.http}\n\thttps_port {proxy.https}\n\tadmin off\n"
        text = proxy.changed(
            "deploy/Caddyfile", ("\tskip_install_trust", f"\t{ports}\tskip_install_trust")
        )
        proxy.caddy(text, SITE_ADDRESS="localhost", UPSTREAM=f"127.0.0.1:{app}")
        root = proxy.folder / "data/caddy/pki/authorities/local/root.crt"

    def ready() -> bool:
        proxy.tls = ssl.create_default_context(cafile=str(root))
        return proxy.call("/login/")[0] == 200

    wait_for(ready)
