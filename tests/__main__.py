"""Run the tests and print a table of the results: `python -m tests`.

The runs on SQLite, on PostgreSQL and in Chromium share the processors: each test that waits leaves
them to another run. The output of a run is printed when it ends.

`--elsewhere` runs the tests that start other sites and make products; `--long` the slow tests, with
many more rounds, state machines and requests.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .support.postgres import database_url

RESULTS = Path("test-results")
# More than processors, because many tests wait: for a server to start, or a lock to be released.
# At most eight, whose threads are as many as PostgreSQL's default of 100 connections serves.
PROCESSES = min(2 * (os.cpu_count() or 1), 8)
LONG = {"ROUNDS": "200", "STORIES": "2000", "FUZZ_EXAMPLES": "500"}


@dataclass
class Run:
    """One run of pytest, and after it what it counted."""

    name: str
    database: str
    markers: str
    share: float = 0.5  # of the processes
    timeout: int = 600  # seconds until a test is taken to hang
    paths: tuple[str, ...] = ("tests", "--ignore=tests/e2e")  # folders with tests for the markers
    exit_code: int = 1
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0

    @property
    def processes(self) -> int:
        return max(1, int(PROCESSES * self.share))

    @property
    def results(self) -> Path:
        return RESULTS / f"{self.name} on {self.database}".replace(" ", "-").lower()

    def start(self, env: dict[str, str]) -> None:
        """Start pytest. Its output and results go to files."""
        self.results.with_suffix(".xml").unlink(missing_ok=True)
        print(f"{self.name}, {self.database}: {self.processes} processes", flush=True)
        self.began = time.monotonic()
        with self.results.with_suffix(".log").open("w") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pytest"),
                    *(f"--numprocesses={self.processes}", "--dist=loadscope"),
                    *("-m", self.markers, f"--timeout={self.timeout}"),
                    f"--junit-xml={self.results.with_suffix('.xml')}",
                    *self.paths,
                ],
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def has_ended(self) -> bool:
        """Return whether pytest has ended; print its output when it has."""
        if self.process.poll() is None:
            return False
        self.exit_code = self.process.returncode
        self.seconds = time.monotonic() - self.began
        print(f"\n--- {self.name}, {self.database} ---", flush=True)
        print(self.results.with_suffix(".log").read_text(), flush=True)
        if self.results.with_suffix(".xml").exists():
            self.count()
        return True

    def count(self) -> None:
        (suite,) = ElementTree.parse(self.results.with_suffix(".xml")).getroot()
        self.failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        self.skipped = int(suite.attrib["skipped"])
        self.passed = int(suite.attrib["tests"]) - self.failed - self.skipped

    def row(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        return (
            f"{self.name:<24}{self.database:<12}{self.passed:>8,}{self.failed:>8,}{self.skipped:>9,}"
            f"{minutes:>6} min {seconds:02} s"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--elsewhere", action="store_true", help="run the tests of other sites")
    which.add_argument(
        "--long", action="store_true", help="run only the slow tests, for half an hour"
    )
    given = parser.parse_args()
    env = dict(os.environ)
    if given.long:
        runs = [Run("slow", name, "slow", timeout=3600) for name in ("SQLite", "PostgreSQL")]
        env |= LONG
    elif given.elsewhere:
        runs = [Run("elsewhere", name, "elsewhere") for name in ("SQLite", "PostgreSQL")]
    else:
        runs = [
            Run("all but the browser", "SQLite", "not (browser or elsewhere)"),
            Run("database", "PostgreSQL", "not (browser or elsewhere)", share=0.25),
            Run("Chromium", "SQLite", "browser", share=0.25, paths=("tests/e2e",)),
        ]
    began = time.monotonic()
    run_together(runs, env)

    print(f"\n{'tests':<24}{'database':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>15}")
    print("\n".join(run.row() for run in runs))
    total = Run("total", "", "", seconds=time.monotonic() - began)
    for name in ("passed", "failed", "skipped"):
        setattr(total, name, sum(getattr(run, name) for run in runs))
    print(total.row())
    return int(any(run.exit_code for run in runs))


def run_together(runs: list[Run], env: dict[str, str]) -> None:
    """Run all at the same time; each test process has ports of its own."""
    RESULTS.mkdir(exist_ok=True)
    on_sqlite = {name: value for name, value in env.items() if name != "DATABASE_URL"}
    with ExitStack() as stack:
        first = 0
        for run in runs:
            database = {}
            if run.database == "PostgreSQL":
                database["DATABASE_URL"] = stack.enter_context(database_url(durable=False))
            run.start(on_sqlite | database | {"FIRST_TEST_PROCESS": str(first)})
            stack.callback(run.process.terminate)  # at Ctrl-C; otherwise it has ended
            first += run.processes
        going = list(runs)
        while going:
            time.sleep(0.1)
            going = [run for run in going if not run.has_ended()]


if __name__ == "__main__":
    sys.exit(main())
