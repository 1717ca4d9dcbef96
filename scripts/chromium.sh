#!/bin/sh
# Makes sure that there is a Chromium for the browser tests; does nothing if there is.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m tests.e2e.chromium >/dev/null 2>&1 && exit 0

echo "Installing Chromium for the browser tests ..."
.venv/bin/python -m playwright install --with-deps chromium >.venv/chromium.log 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >>.venv/chromium.log 2>&1 && exit 0
fi
echo "No Chromium could be installed: install one so that 'chromium' is on the PATH, and try again; what was tried is in .venv/chromium.log." >&2
exit 1
