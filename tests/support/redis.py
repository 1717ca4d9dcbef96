"""A cache server for a test: Redis or Valkey if installed, else a fake one in Python."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.server import free_port, serving


@dataclass(frozen=True)
class CacheServer:
    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Suspend it: it accepts connections and does not answer."""
        self.process.send_signal(signal.SIGSTOP)


@contextmanager
def redis_url() -> Iterator[str]:
    port = free_port()
    program = _program()
    with _real(program, port) if program else _imitated(port):
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def redis_process() -> Iterator[CacheServer]:
    """Start a server in a process of its own, which can be stopped."""
    port = free_port()
    imitation = (sys.executable, "-m", "tests.support.redis", str(port))
    program = _program()
    process = subprocess.Popen(_command(program, port) if program else imitation)
    try:
        _wait_for(port)
        yield CacheServer(f"redis://127.0.0.1:{port}/0", process)
    finally:
        process.kill()  # a suspended process ignores other signals
        process.wait(timeout=20)


def _program() -> str | None:
    return shutil.which("valkey-server") or shutil.which("redis-server")


def _command(program: str, port: int) -> tuple[str, ...]:
    address = ("--port", str(port), "--bind", "127.0.0.1")
    return (program, *address, "--save", "", "--appendonly", "no")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)


@contextmanager
def _real(program: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(_command(program, port), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def _imitated(port: int) -> Iterator[None]:
    from fakeredis import TcpFakeServer

    server = TcpFakeServer(("127.0.0.1", port), server_type="valkey")
    server.daemon_threads = True
    with serving(server):
        yield


if __name__ == "__main__":
    with _imitated(int(sys.argv[1])):
        threading.Event().wait()
