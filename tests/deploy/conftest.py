"""The project as in its image, and a deployment of it with its own database."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

import pytest

from tests.support import deployment as files
from tests.support.checkout import bare_environment, copy_into, lend_packages
from tests.support.production import answers, processes, production, started, wait_for
from tests.support.proxy import Proxy
from tests.support.server import database


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The project after the steps of the Dockerfile, without the download of packages."""
    folder = lend_packages(copy_into(tmp_path_factory.mktemp("app")))
    steps = [line for word, line in files.dockerfile() if word == "RUN"]
    venv, static, user = steps
    assert venv.startswith("python -m venv .venv && .venv/bin/pip install --require-hashes")
    assert user.startswith("useradd --uid 10001")
    done = subprocess.run(
        ["sh", "-c", static],
        cwd=folder,
        env=bare_environment(ENV_FILE=""),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "staticfiles/staticfiles.json").exists()
    assert done.stdout.count("Compiled ") == len(list(folder.glob("**/locale/*/*/*.po")))
    return folder


@pytest.fixture(scope="session")
def released(project, tmp_path_factory, django_db_setup, django_db_blocker):
    """The URL of a database after the release command."""
    folder, stack = tmp_path_factory.mktemp("released"), ExitStack()
    with django_db_blocker.unblock():
        url = stack.enter_context(database(folder))
    release = files.commands()["Procfile release"]
    env = production(project, folder, url)
    subprocess.run(release, cwd=project, env=env, check=True, capture_output=True)
    yield url
    with django_db_blocker.unblock():
        stack.close()


@pytest.fixture
def env(project, released, tmp_path, transactional_db):
    """The environment of a deployment."""
    with database(tmp_path, like=released) as url:
        environment = production(project, tmp_path, url)
        yield environment
        assert not processes(environment)


@pytest.fixture(scope="module")
def app(project, released, tmp_path_factory, django_db_blocker):
    """The port of the app, served with the command of the image."""
    folder = tmp_path_factory.mktemp("served")
    with django_db_blocker.unblock(), database(folder, like=released) as url:
        env = production(project, folder, url)
        env |= {"ALLOWED_HOSTS": "localhost", "METRICS_TOKEN": "a token of the metrics"}
        env["RATE_LIMITS"] = "False"  # all clients here have one address
        env["LOG_LEVEL"] = "ERROR"  # an unread pipe blocks after 64 KiB
        with started(files.docker_command(), project, env) as server:
            wait_for(lambda: answers(f"http://127.0.0.1:{env['PORT']}"))
            yield int(env["PORT"])
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture(scope="module")
def proxies(tmp_path_factory):
    """Return a new proxy, which is stopped at the end of the module."""
    running = []

    def make():
        folder = tmp_path_factory.mktemp("proxy")
        folder.chmod(0o755)
        running.append(Proxy(folder))
        return running[-1]

    yield make
    for proxy in running:
        proxy.stop()
