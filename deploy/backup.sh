#!/bin/sh
# Dump the database into a folder, and delete its dumps that are older than seven days:
# backup.sh FOLDER. PGHOST, PGUSER and so on name the database, as for every client of PostgreSQL.
set -eu
umask 077
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
dump=$1/$(date -u +%Y-%m-%dT%H%M%SZ).dump
trap 'rm -f "$dump.part"' EXIT
pg_dump --format=custom --file="$dump.part"
mv "$dump.part" "$dump" # whole or not at all
# Only now: where backups fail, the last ones stay.
find "$1" -name '*.dump' -mtime +6 -delete
find "$1" -name '*.part' -mtime +0 -delete
echo "$dump"
