"""The browser of the tests: a Chromium on the PATH, else the one that Playwright downloaded.

`python -m tests.support.chromium` prints its path.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

# The headless shell first: the same engine without windows, and the browser stories take two thirds
# of the time that they take with the whole browser. It is also what Playwright downloads.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The browser itself must not send requests either: the tests fail on any to another host.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)


def find(playwright: Playwright) -> str | None:
    for name in NAMES:
        # Some systems have a script of that name that only prints what to install.
        if (path := shutil.which(name)) and starts(path):
            return path
    downloaded = playwright.chromium.executable_path
    return downloaded if Path(downloaded).exists() and starts(downloaded) else None


def starts(path: str) -> bool:
    """Return whether it starts: it does not where one of its libraries is missing."""
    command = [path, "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=find(playwright),
        args=ARGUMENTS,
        chromium_sandbox=False,  # it cannot start as root; the pages are all our own
    )


def main() -> None:
    with sync_playwright() as playwright:
        path = find(playwright)
    if path is None:
        sys.exit("No Chromium was found: install one so that 'chromium' is on the PATH.")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
