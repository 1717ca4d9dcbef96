"""`make run` in a new checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.management.commands.demo import PASSWORD
from tests.support.checkout import bare_environment, copy_into, lend_packages, refusal, run
from tests.support.server import free_port

pytestmark = pytest.mark.process


# A package index that nothing can be installed from.
UNREACHABLE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
}


@pytest.fixture
def copy(tmp_path):
    return copy_into(tmp_path / "copy")


@pytest.fixture
def ready(copy):
    return lend_packages(copy)


@pytest.fixture
def port():
    return str(free_port())


def python_that(folder, script):
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_an_old_python_is_refused_with_a_message(copy, tmp_path):
    done = run("make", "run", cwd=copy, PYTHON=python_that(tmp_path, "exit 1"))

    assert "Python 3.11 or later was not found" in refusal(done)


@pytest.mark.elsewhere
def test_a_python_of_pyenv_is_found_if_its_shims_fail(copy, tmp_path):
    names = ["python", "python3", *(f"python3.{minor}" for minor in range(11, 15))]
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in names:
        Path(python_that(tmp_path, "exit 127")).rename(shims / name)
    there = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin"
    there.mkdir(parents=True)
    (there / "python3").symlink_to(sys.executable)

    done = run(
        "make",
        "run",
        cwd=copy,
        PATH=f"{shims}:{os.environ['PATH']}",
        PYENV_ROOT=str(tmp_path / "pyenv"),
        **UNREACHABLE,
    )

    assert "The packages could not be installed" in refusal(done)


@pytest.mark.elsewhere
def test_a_missing_venv_module_is_refused_with_a_message(copy, tmp_path):
    script = f'[ "$1" = -m ] && exit 1; exec "{sys.executable}" "$@"'

    done = run("make", "run", cwd=copy, PYTHON=python_that(tmp_path, script))

    assert "python3-venv" in refusal(done)
    assert not (copy / ".venv").exists()


@pytest.mark.elsewhere
def test_an_unreachable_package_index_fails_fast_with_a_message(copy):
    began = time.monotonic()

    done = run(
        "make",
        "run",
        cwd=copy,
        PYTHON=sys.executable,
        **UNREACHABLE,
    )

    assert "PIP_INDEX_URL" in refusal(done)
    assert time.monotonic() - began < 100
    assert "127.0.0.1" in (copy / ".venv" / "install.log").read_text(encoding="utf-8")


@pytest.mark.elsewhere
def test_a_port_in_use_is_refused_with_a_message(ready):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        number = busy.getsockname()[1]
        done = run("make", "run", f"PORT={number}", cwd=ready)

    assert f"Port {number} is not available" in refusal(done)
    assert "choose another port: make run PORT=" in refusal(done)


def test_env_is_written_once_with_new_keys_and_readable_by_the_owner_only(ready, tmp_path):
    other = lend_packages(copy_into(tmp_path / "other"))
    keys = set()
    for folder in (ready, other):
        done = run("sh", "scripts/setup.sh", cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert (folder / ".env").stat().st_mode & 0o777 == 0o600
        written = (folder / ".env").read_text(encoding="utf-8")
        keys |= set(re.findall(r"(?m)^(?:SECRET|JWT_SIGNING)_KEY=([\w-]{80,})$", written))
    assert len(keys) == 4
    before = (ready / ".env").stat()

    done = run("sh", "scripts/setup.sh", cwd=ready)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    after = (ready / ".env").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def call(site, path, body=None):
    """Return status and JSON (None for a page), or None while no server answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(site + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None
    except (urllib.error.URLError, ConnectionError):
        return None


@contextmanager
def served(folder, port):
    """Run `make run` and give the URL of the site."""
    site, began = f"http://127.0.0.1:{port}", time.monotonic()
    with (folder / "output").open("w") as output:
        server = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=folder,
            env=bare_environment(DEMO_USERS="True"),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while call(site, "/") is None:
            assert server.poll() is None, (folder / "output").read_text()
            assert time.monotonic() - began < 100
            time.sleep(0.05)
        yield site
    finally:
        # Without a clean stop: answered requests must be stored.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=20)
        while call(site, "/") is not None:
            time.sleep(0.05)


def test_make_run_serves_and_a_second_run_loses_no_data(ready, port):
    with served(ready, port) as site:
        assert call(site, "/") == (200, None)
        credentials = {"email": "demo@example.com", "password": PASSWORD}
        status, tokens = call(site, "/api/token/", credentials)
        assert status == 200
        assert f"http://localhost:{port}/admin/" in (ready / "output").read_text()
    with served(ready, port) as site:
        refresh = {"refresh": tokens["refresh"]}
        assert call(site, "/api/token/refresh/", refresh)[0] == 200
        output = (ready / "output").read_text()
        assert "Installing" not in output
        assert "Wrote" not in output


@pytest.mark.elsewhere
@pytest.mark.parametrize(
    ("target", "command"),
    [("translations", "msgfmt"), ("compose-test", "docker")],
)
def test_a_command_that_is_not_installed_is_named_with_a_way_to_install_it(
    ready, tmp_path, target, command
):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cmp", "dirname", "env", "grep", "make", "sh"):
        (programs / name).symlink_to(shutil.which(name))

    done = run("make", target, cwd=ready, PATH=str(programs))

    assert refusal(done).startswith(f"{command} was not found. Install it, for example: ")
