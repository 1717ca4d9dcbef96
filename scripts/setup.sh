#!/bin/sh
# Makes .venv from a hashed lock file and .env with fresh keys, and compiles the translations.
# Does nothing where all of it is there and up to date.
# Usage: scripts/setup.sh [requirements.txt]
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements.txt}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    # The last of them is for pyenv, whose python3 fails where .python-version names another one.
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python \
        ${PYENV_ROOT:-$HOME/.pyenv}/versions/*/bin/python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed and was not found: install it, or say where it is with PYTHON=/path/to/python3."
}

install() {
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        python=$(find_python)
        "$python" -m venv --clear .venv >/dev/null 2>&1 || {
            rm -rf .venv
            die "Python's venv module does not work here: install it (on Debian and Ubuntu: apt install python3-venv) and try again."
        }
    fi
    echo "Installing the packages of $lock ..."
    log=.venv/install.log
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --retries 2 --timeout 20 \
        --require-hashes --requirement "$lock" >"$log" 2>&1 ||
        die "The packages could not be installed: make sure that the package index can be reached (a proxy goes into HTTPS_PROXY, a mirror into PIP_INDEX_URL) and try again; what pip said is in $log."
    cp "$lock" ".venv/installed-$lock"
}

are_compiled() {
    for source in locale/*/LC_MESSAGES/*.po */locale/*/LC_MESSAGES/*.po; do
        compiled=${source%.po}.mo
        [ -e "$compiled" ] && [ ! "$source" -nt "$compiled" ] || return 1
    done
}

cmp -s "$lock" ".venv/installed-$lock" && .venv/bin/python -c '' 2>/dev/null || install

if [ ! -e .env ]; then
    .venv/bin/python scripts/env.py
    echo "Wrote .env with fresh keys."
fi

are_compiled || .venv/bin/python manage.py compilemessages --verbosity 0
