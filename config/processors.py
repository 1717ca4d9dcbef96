"""Counts the processors that this process may use."""

import os
from pathlib import Path


def cpus() -> int:
    """Return the number of processors that this process may use, rounded down, at least 1.

    `os.process_cpu_count` (Python 3.13) ignores the limit of a container. With it, gunicorn would
    start 64 processes in a container limited to one of 64 processors.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed = min(allowed or 1, int(quota) // int(period))  # "max 100000" if there is no limit
    except (OSError, ValueError):
        pass
    return max(1, allowed or 1)
