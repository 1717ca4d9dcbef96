"""nginx in front of a static site asks whether to let each request through."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from tests.support.checkout import ROOT
from tests.support.server import call, free_port, served

CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
EXAMPLE = ROOT / "examples" / "forward_auth" / "nginx.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed"),
]


@pytest.fixture
def nginx(tmp_path):
    """Give the function that starts nginx with the example, and the address of the site."""
    started = []

    def start(site):
        files = tmp_path / "files"
        files.mkdir(mode=0o755)
        (files / "index.html").write_text("for members")
        port = free_port()
        example = EXAMPLE.read_text(encoding="utf-8")
        for before, after in (
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("root /srv/site;", f"root {files};"),
            ("http://127.0.0.1:8000", site),
            ("Host $host", "Host localhost"),
        ):
            assert before in example
            example = example.replace(before, after)
        folders = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in TEMPORARY)
        config = tmp_path / "nginx.conf"
        config.write_text(
            "daemon off; master_process off;\n"
            f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{folders}{example}}}\n"
        )
        command = ["nginx", "-p", str(tmp_path), "-c", str(config), "-e", f"{tmp_path}/start.log"]
        started.append(subprocess.Popen(command, env={"PATH": os.environ["PATH"]}))
        return f"http://127.0.0.1:{port}/"

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=10)


def get(url, token=""):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    for _ in range(50):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, ""
        except urllib.error.URLError:  # it is not up yet
            time.sleep(0.1)
    raise AssertionError("nginx did not start")


@pytest.mark.django_db(transaction=True)
def test_only_a_session_that_is_live_gets_through(tmp_path, nginx):
    with served(tmp_path) as site:
        pages = nginx(site)
        pair = call(f"{site}/api/token/", CREDENTIALS)[1]
        user = call(f"{site}/api/me/", access=pair["access"])[1]

        assert get(pages)[0] == 401
        status, headers, page = get(pages, pair["access"])
        assert (status, page) == (200, "for members")
        assert headers["X-Auth-User"] == str(user["id"])
        assert headers["X-Auth-Session"]

        call(f"{site}/api/token/blacklist/", {"refresh": pair["refresh"]})
        assert get(pages, pair["access"])[0] == 401
        assert get(f"{pages}_check", pair["access"])[0] == 404
