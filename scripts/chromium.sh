#!/bin/sh
# Installs Playwright's libraries and Chromium if they do not work yet.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python
log=.venv/chromium.log

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A new machine often installs updates at its first start: wait for apt's lock.
apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    { apt-get update; apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; } >>"$log" 2>&1
}

$python -m tests.support.chromium >/dev/null 2>&1 && exit 0
: >"$log"

# Playwright contains its own Node.js, which needs a library that minimal systems do not have.
if ! $python -m playwright --version >>"$log" 2>&1; then
    echo "Installing libatomic1, which Playwright needs ..."
    apt_install libatomic1 && $python -m playwright --version >>"$log" 2>&1 ||
        die "Playwright does not start. Install the package libatomic1 (on Fedora: libatomic) and try again. The output is in $log."
    $python -m tests.support.chromium >/dev/null 2>&1 && exit 0
fi

echo "Installing Chromium for the browser tests ..."
if ! $python -m playwright install --with-deps chromium >>"$log" 2>&1; then
    apt_install chromium-headless-shell || apt_install chromium || true
fi
$python -m tests.support.chromium >/dev/null 2>>"$log" ||
    die "Chromium could not be installed. Install it so that 'chromium' is on the PATH, and try again. The output is in $log."
