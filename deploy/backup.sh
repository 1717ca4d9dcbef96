#!/bin/sh
# Dumps the database into a folder and deletes dumps older than seven days. Usage: backup.sh FOLDER.
# PGHOST, PGUSER and libpq's other variables set the connection.
set -eu
umask 077
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
dump=$1/$(date -u +%Y-%m-%dT%H%M%SZ).dump
trap 'rm -f "$dump.part"' EXIT
pg_dump --format=custom --file="$dump.part"
mv "$dump.part" "$dump" # an incomplete dump never gets the final name
# After the new dump, so that old dumps are kept while backups fail.
find "$1" -name '*.dump' -mtime +6 -delete
find "$1" -name '*.part' -mtime +0 -delete
echo "$dump"
