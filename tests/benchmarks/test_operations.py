"""How the benchmark measures a turn of one client."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from benchmarks.operations import busy


@pytest.mark.process
def test_the_time_of_a_process_includes_that_of_its_children():
    spin = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {spin!r}]); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        most = 0.0
        while most < 0.2 and time.monotonic() < deadline:
            most = max(most, busy(process.pid))
        process.stdin.close()

    assert most >= 0.2


def test_a_process_that_has_ended_takes_no_time():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert busy(process.pid) == 0
