#!/bin/sh
# Creates .venv from a lock file with hashes, creates .env with new keys and compiles the translations.
# Does nothing if everything is up to date. Needs only POSIX sh, pip and venv, because uv, Poetry or
# Hatch would have to be installed first.
# Usage: scripts/setup.sh [requirements.txt]
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements.txt}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    # The last entry is for pyenv, whose python3 fails if the version in .python-version is missing.
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python \
        ${PYENV_ROOT:-$HOME/.pyenv}/versions/*/bin/python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "Python 3.11 or later was not found. Install it, or set PYTHON=/path/to/python3."
}

install() {
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        python=$(find_python)
        "$python" -m venv --clear .venv >/dev/null 2>&1 || {
            rm -rf .venv
            die "Python's venv module does not work. Install it (on Debian and Ubuntu: apt install python3-venv) and try again."
        }
    fi
    echo "Installing the packages of $lock ..."
    log=.venv/install.log
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --retries 2 --timeout 20 \
        --require-hashes --requirement "$lock" >"$log" 2>&1 ||
        die "The packages could not be installed. Check the connection to the package index (HTTPS_PROXY sets a proxy, PIP_INDEX_URL a mirror) and try again. pip's output is in $log."
    cp "$lock" ".venv/installed-$lock"
}

are_compiled() {
    for source in locale/*/LC_MESSAGES/*.po */locale/*/LC_MESSAGES/*.po; do
        [ -e "$source" ] || continue # there are none
        compiled=${source%.po}.mo
        [ -e "$compiled" ] && [ ! "$source" -nt "$compiled" ] || return 1
    done
}

cmp -s "$lock" ".venv/installed-$lock" && .venv/bin/python -c '' 2>/dev/null || install

if [ ! -e .env ]; then
    .venv/bin/python scripts/env.py
    echo "Wrote .env with new keys."
fi

are_compiled || .venv/bin/python manage.py compilemessages --verbosity 0
