"""Every command of the deployment files, run in a copy of the project."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections

from tests.support import deployment as files
from tests.support.production import SIGN_UP, answers, processes, runs, started, wait_for
from tests.support.server import call as call_plainly

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]

COMMANDS = files.commands()
TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}  # as the proxy says it


def call(url, body=None, access=""):
    return call_plainly(url, body, access, headers=TLS)


ENDING = {place: words for place, words in COMMANDS.items() if "manage.py" in " ".join(words)}


@pytest.mark.parametrize("words", sorted({tuple(words) for words in ENDING.values()}))
def test_each_one_off_command_succeeds_twice_in_a_row(project, env, words):
    for _ in range(2):
        done = subprocess.run(
            words, cwd=project, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr


SERVING = {place: words for place, words in COMMANDS.items() if "gunicorn" in words[0]}


@pytest.mark.parametrize("words", sorted({tuple(words) for words in SERVING.values()}))
def test_each_server_command_serves_and_stops_cleanly(project, env, words):
    port = env["PORT"]
    words = [word.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for word in words]
    with started(words, project, env) as server:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"))
        healthy = COMMANDS["Dockerfile healthcheck"]
        assert subprocess.run(healthy, cwd=project, env=env, check=False).returncode == 0
        page = call_page(f"http://127.0.0.1:{port}/login/")
        assert f'href="/static/css/site.{hash_of(project, "css/site.css")}.css"' in page
        server.send_signal(signal.SIGTERM)
        out, _ = server.communicate(timeout=30)
        sick = subprocess.run(healthy, cwd=project, env=env, capture_output=True, check=False)

    assert server.returncode == 0
    assert sick.returncode == 1
    assert b"Traceback" not in sick.stderr
    assert all(line.startswith("{") for line in out.splitlines()), out
    assert "Traceback" not in out


def call_page(url):
    request = urllib.request.Request(url, headers=TLS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def hash_of(project, name):
    manifest = json.loads((project / "staticfiles" / "staticfiles.json").read_text())
    return manifest["paths"][name].split(".")[-2]


def test_the_keys_are_created_once_and_pass_the_deployment_check(project, env, tmp_path):
    keys = tmp_path / "keys"
    command = [*COMMANDS["compose keys"][:-1], str(keys)]
    for _ in range(2):
        subprocess.run(command, cwd=project, env=env, check=True)
        made = {path.name: path.read_text() for path in keys.rglob("[!.]*") if path.is_file()}
        assert len(set(made.values())) == 6
    subprocess.run(command, cwd=project, env=env, check=True)

    again = {path.name: path.read_text() for path in keys.rglob("[!.]*") if path.is_file()}
    assert again == made
    assert sum('"d"' in text for text in made.values()) == 1
    assert oct((keys / "secret_key").stat().st_mode)[-3:] == "400"
    assert f":{made['postgres_password']}@postgres:5432/app" in made["database_url"]
    option, password = made["valkey.conf"].split()
    assert option == "requirepass"
    assert made["cache_url"] == f"redis://:{password}@valkey:6379/0"
    files_env = {
        name: value for name, value in env.items() if name not in {"SECRET_KEY", "JWT_SIGNING_KEY"}
    } | {
        "SECRET_KEY_FILE": str(keys / "secret_key"),
        "JWT_KEYS_FILE": str(keys / "jwt" / "keys.json"),
        "CACHE_URL_FILE": str(keys / "cache_url"),
    }
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        check, cwd=project, env=files_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def keys_taken_over(project, env, keys):
    """Create the keys in the folder of an older project; return each key's algorithm and times."""
    subprocess.run([*COMMANDS["compose keys"][:-1], str(keys)], cwd=project, env=env, check=True)
    made = json.loads((keys / "jwt" / "keys.json").read_text())["keys"]
    return [(key["alg"], key["nbf"], key.get("exp")) for key in made]


def test_the_signing_key_of_an_older_project_continues_to_verify(project, env, tmp_path):
    (tmp_path / "jwt_signing_key").write_text("k" * 64)

    (former, starts, ends), (first, _starts, end) = keys_taken_over(project, env, tmp_path)

    assert (former, starts, ends > time.time()) == ("HS256", 0, True)
    assert (first, end) == ("EdDSA", None)


def test_the_key_folder_of_an_older_project_is_imported(project, env, tmp_path):
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "20200101T000000Z--20991231T000000Z.secret").write_text("k" * 64)
    (tmp_path / "ring" / "20260101T000000Z.secret").write_text("j" * 64)

    former, signs = keys_taken_over(project, env, tmp_path)

    assert former == ("HS256", 1577836800, 4102358400)
    assert signs == ("HS256", 1767225600, None)


def test_the_scheduler_flushes_at_start_and_at_intervals_and_stops_quickly(project, env):
    often = {**env, "FLUSH_EVERY_SECONDS": "1"}
    with started(COMMANDS["Procfile scheduler"], project, often) as scheduler:
        wait_for(lambda: runs(env["DATABASE_URL"]) >= 2, seconds=60)
        began = time.monotonic()
        scheduler.send_signal(signal.SIGTERM)
        scheduler.communicate(timeout=20)

    assert scheduler.returncode == 0
    assert time.monotonic() - began < 10


@contextmanager
def everything_waits(env):
    """Lock the tables of a sign-in, so that it does not end before the block."""
    holder = psycopg.connect(env["DATABASE_URL"])
    holder.execute("LOCK TABLE token_blacklist_outstandingtoken IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


def test_stopping_all_procfile_processes_loses_no_request(project, env):
    connections.close_all()
    credentials = {"email": "ada@example.com", "password": "a long and good password"}
    port = int(env["PORT"])
    honcho = ["honcho", "start", "--concurrency", "release=0", "--port", str(port)]
    # Each kind of process gets a port of its own, a hundred on.
    site = f"http://127.0.0.1:{port + 100 * (list(files.procfile()).index('web'))}"

    with started(honcho, project, env) as manager, ThreadPoolExecutor() as pool:
        read = pool.submit(manager.stdout.read)
        wait_for(lambda: answers(site))
        wait_for(lambda: runs(env["DATABASE_URL"]) == 1)
        assert call(f"{site}{SIGN_UP}", credentials)[0] == 200
        assert call(f"{site}/api/token/", credentials)[0] == 200

        sent = threading.Event()
        with everything_waits(env):
            late = pool.submit(lambda: (sent.set(), call(f"{site}/api/token/", credentials))[1])
            sent.wait()
            time.sleep(1)
            manager.send_signal(signal.SIGTERM)
            time.sleep(1)
            assert not late.done()
        status, pair = late.result(timeout=20)
        manager.wait(timeout=20)
        said = read.result(timeout=20)

    assert status == 200
    assert set(pair) == {"access", "refresh"}
    assert "Traceback" not in said
    assert not processes(env)
