"""How much memory the server takes, as it is shipped."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from accounts.management.commands.demo import PASSWORD
from tests.support.server import ROOT, call, environment, free_port, prepare

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells the sizes"
    ),
]

CREDENTIALS = {"email": "demo@example.com", "password": PASSWORD}
PROCESSORS = set(sorted(os.sched_getaffinity(0))[:2]) if hasattr(os, "sched_getaffinity") else set()


def megabytes(pid):
    """Return what a process and its children take; what they share counts once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has ended
        return 0
    (own,) = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")]
    return own / 1024 + sum(map(megabytes, children))


@pytest.fixture
def server(tmp_path):
    """The server on two processors, with its own configuration; gives its process and URL."""
    env = environment(
        tmp_path,
        DATABASE_URL=f"sqlite:///{tmp_path / 'site.sqlite3'}",
        HOST="127.0.0.1",
        PORT=str(free_port()),
        WEB_CONCURRENCY="2",
    )
    prepare(env)
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py", "config.wsgi"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
    )
    os.sched_setaffinity(process.pid, PROCESSORS)  # before it starts its workers
    yield process, f"http://127.0.0.1:{env['PORT']}"
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=40)


def signs_in(url):
    return call(f"{url}/api/token/", CREDENTIALS)[0]


def test_sixteen_sign_ins_at_once_fit_into_256_megabytes(server):
    process, url = server
    for _attempt in range(100):
        try:
            assert signs_in(url) == 200
        except OSError:
            time.sleep(0.1)
        else:
            break

    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(signs_in, url) for _ in range(112)]
        peak = 0
        while not all(answer.done() for answer in answers):
            peak = max(peak, megabytes(process.pid))
            time.sleep(0.02)

    assert [answer.result() for answer in answers] == [200] * 112
    assert peak < 256
