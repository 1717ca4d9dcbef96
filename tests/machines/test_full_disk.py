"""SQLite on a full disk: requests that only read continue to work."""

import psutil
import pytest

from config.management.commands.demo import PASSWORD
from tests.support.server import call, environment, gunicorn, prepare

pytestmark = pytest.mark.process


def limit_files(server, size):
    """Limit the size of the server's files, as a full disk does."""
    master = psutil.Process(server.process.pid)
    for process in [master, *master.children()]:
        _soft, hard = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (size, hard))


def test_access_tokens_are_accepted_and_refreshes_are_503_while_the_disk_is_full(tmp_path):
    env = environment(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'site.sqlite3'}")
    prepare(env)
    with gunicorn(env, workers=1) as server:
        credentials = {"email": "demo@example.com", "password": PASSWORD}
        status, tokens = call(f"{server.url}/api/token/", credentials)
        assert status == 200
        refresh = {"refresh": tokens["refresh"]}

        limit_files(server, 0)
        said = [call(f"{server.url}/api/me/", access=tokens["access"])[0] for _ in range(5)]
        full = call(f"{server.url}/api/token/refresh/", refresh)
        still = call(f"{server.url}/api/me/", access=tokens["access"])
        limit_files(server, psutil.RLIM_INFINITY)
        again = call(f"{server.url}/api/token/refresh/", refresh)

    assert said == [200] * 5
    assert (full[0], full[1]["code"]) == (503, "unavailable")
    assert still[0] == again[0] == 200
