#!/bin/sh
# Flushes when it starts and then once a day, for platforms that run processes and no cron.
# Ends at once on SIGTERM; a flush that runs then ends after its batch.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
day=${FLUSH_EVERY_SECONDS:-86400}
child=

end() {
    trap '' TERM INT
    if [ -n "$child" ]; then
        kill -TERM "$child" 2>/dev/null
        wait "$child"
    fi
    exit 0
}
trap end TERM INT

while :; do
    pause=$day
    python manage.py flushexpiredtokens &
    child=$!
    if ! wait "$child"; then
        pause=$((day < 3600 ? day : 3600))
        echo "The flush did not end well; the next try is in $pause seconds." >&2
    fi
    # Not in the foreground: a shell hears a signal only after what it waits for like that.
    sleep "$pause" &
    child=$!
    wait "$child"
done
