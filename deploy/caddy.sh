#!/bin/sh
# Starts Caddy, or gives a running one a changed Caddyfile: caddy.sh run|reload|validate.
# Caddy wants a space after the comma between two addresses; other variables have none.
set -eu
SITE_ADDRESS=$(printf %s "${SITE_ADDRESS:-localhost}" | sed 's/,[[:space:]]*/, /g')
export SITE_ADDRESS
exec caddy "$1" --config "$(dirname "$0")/Caddyfile" --adapter caddyfile
