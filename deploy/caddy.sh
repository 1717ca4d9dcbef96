#!/bin/sh
# Starts Caddy, reloads its configuration or validates it. Usage: caddy.sh run|reload|validate.
# Adds the space that Caddy needs after a comma in SITE_ADDRESS.
set -eu
SITE_ADDRESS=$(printf %s "${SITE_ADDRESS:-localhost}" | sed 's/,[[:space:]]*/, /g')
export SITE_ADDRESS
exec caddy "$1" --config "$(dirname "$0")/Caddyfile" --adapter caddyfile
