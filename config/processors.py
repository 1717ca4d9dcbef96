"""How many processors there are."""

import os
from pathlib import Path


def cpus() -> int:
    """Return how many processors there are for this process, of whole ones.

    Not the machine's: a container may be given less, and a process for each of 64 processors in a
    container of one would only take memory.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed = min(allowed or 1, int(quota) // int(period))  # "max 100000" where there is none
    except (OSError, ValueError):
        pass
    return max(1, allowed or 1)
