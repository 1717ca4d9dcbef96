#!/bin/sh
# Flushes when it starts and then once a day, for platforms that run processes and no cron: expired
# tokens, then Django's own expired sessions.
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

# Not in the foreground: a shell hears a signal only after what it waits for like that.
run() {
    "$@" &
    child=$!
    wait "$child"
}

while :; do
    pause=$day
    if ! { run python manage.py flushexpiredtokens && run python manage.py clearsessions; }; then
        pause=$((day < 3600 ? day : 3600))
        echo "The flush did not end well; the next try is in $pause seconds." >&2
    fi
    run sleep "$pause"
done
