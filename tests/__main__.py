"""Run all tests and print a table of the results: `python -m tests`.

`--long` runs only the slow tests, with many more rounds, state machines and requests.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
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
    timeout: int = 600  # seconds until a test is taken to hang
    paths: tuple[str, ...] = ("tests", "--ignore=tests/e2e")  # folders with tests for the markers
    exit_code: int = 1
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0

    def start(self, env: dict[str, str]) -> None:
        report = RESULTS / f"{self.name} on {self.database}.xml".replace(" ", "-").lower()
        report.unlink(missing_ok=True)
        print(f"\n--- {self.name}, {self.database} ---", flush=True)
        began = time.monotonic()
        self.exit_code = subprocess.run(
            [
                *(sys.executable, "-m", "pytest"),
                *(f"--numprocesses={PROCESSES}", "--dist=loadscope"),
                *("-m", self.markers, f"--timeout={self.timeout}", f"--junit-xml={report}"),
                *self.paths,
            ],
            env=env,
            check=False,
        ).returncode
        self.seconds = time.monotonic() - began
        if report.exists():
            self.count(report)

    def count(self, report: Path) -> None:
        (suite,) = ElementTree.parse(report).getroot()
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
    parser.add_argument(
        "--long", action="store_true", help="run only the slow tests, for half an hour"
    )
    if parser.parse_args().long:
        runs = [Run("slow tests", name, "slow", 3600) for name in ("SQLite", "PostgreSQL")]
        env = {**os.environ, **LONG}
    else:
        runs = [
            Run("without the browser", "SQLite", "not browser"),
            Run("with database access", "PostgreSQL", "not browser"),
            Run("Chromium", "SQLite", "browser", paths=("tests/e2e",)),
        ]
        env = dict(os.environ)
    RESULTS.mkdir(exist_ok=True)
    on_sqlite = {name: value for name, value in env.items() if name != "DATABASE_URL"}
    for run in runs:
        if run.database == "SQLite":
            run.start(on_sqlite)
        else:
            with database_url(durable=False) as url:
                run.start(env | {"DATABASE_URL": url})

    print(f"\n{'tests':<24}{'database':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>15}")
    print("\n".join(run.row() for run in runs))
    total = Run("total", "", "")
    for name in ("passed", "failed", "skipped", "seconds"):
        setattr(total, name, sum(getattr(run, name) for run in runs))
    print(total.row())
    return int(any(run.exit_code for run in runs))


if __name__ == "__main__":
    sys.exit(main())
