#!/bin/sh
# Deletes expired tokens and Django's expired sessions at its start and then once a day, for
# platforms without cron. With EMAILS_SENT_BY=scheduler, it also sends e-mails every minute.
# Stops immediately on SIGTERM; a running flush stops after its batch.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
day=${FLUSH_EVERY_SECONDS:-86400}
true & # sets $!

end() {
    trap '' TERM INT
    # $! and not a variable: the signal may arrive before a variable is set.
    kill -TERM $! 2>/dev/null
    wait $! 2>/dev/null # the shell would print "Terminated"
    exit 0
}
trap end TERM INT

# In the background, because a shell handles signals only after a foreground command has ended.
run() {
    "$@" &
    wait $!
}

rest() {
    if [ "${EMAILS_SENT_BY:-web}" != scheduler ]; then
        run sleep "$1"
        return
    fi
    over=$(($(date +%s) + $1))
    while [ "$(date +%s)" -lt "$over" ]; do
        run python manage.py sendemails || echo "Trying again in a minute." >&2
        run sleep 60
    done
}

while :; do
    pause=$day
    if ! { run python manage.py flushexpiredtokens && run python manage.py clearsessions; }; then
        pause=$((day < 3600 ? day : 3600))
        echo "The flush failed. Trying again in $pause seconds." >&2
    fi
    rest "$pause"
done
