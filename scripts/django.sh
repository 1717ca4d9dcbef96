#!/bin/sh
# Creates build/django-VERSION: an environment with the packages of .venv, but with this Django.
# Does nothing if it is up to date. `make check DJANGO=6.1` runs the tests in it.
# Usage: scripts/django.sh 6.1
set -eu
cd "$(dirname "$0")/.."
version=${1:-}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

packages_of() {
    "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
}

case $version in
'' | *[!0-9.]*) die "DJANGO must be a version. Example: make check DJANGO=6.1" ;;
esac

folder=build/django-$version
# A new lock file also means: look for a newer patch release.
made_from="$(packages_of .venv/bin/python) $(cksum <requirements-dev.txt)"
[ "$(cat "$folder/made-from" 2>/dev/null)" != "$made_from" ] || exit 0

echo "Installing Django $version into $folder ..."
.venv/bin/python -m venv --clear --without-pip "$folder"  # pip is in .venv
packages_of .venv/bin/python >"$(packages_of "$folder/bin/python")/venv.pth"
log=$folder/install.log
"$folder/bin/python" -m pip install --disable-pip-version-check --no-input --ignore-installed \
    "Django==$version.*" >"$log" 2>&1 ||
    die "Django $version could not be installed. Does it exist, and for $(.venv/bin/python -V)? pip's output is in $log."
printf '%s\n' "$made_from" >"$folder/made-from"
