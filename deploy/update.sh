#!/bin/sh
# Updates a compose project: `git pull --ff-only && sh deploy/update.sh`, or `make deploy`.
# Builds, migrates and tries the new version beside the old one, which goes on serving: if a step
# fails, nothing else changes. `docker compose up` alone would stop the old one first.
set -eu
cd "$(dirname "$0")/.."

image=$(docker compose config --images keys)
old=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)

try() {
    "$@" || {
        # So that the next `docker compose up` or `run` does not take the new one.
        [ -z "$old" ] || docker tag "$old" "$image"
        echo "Not updated: the previous version goes on serving. This failed: $*" >&2
        exit 1
    }
}

try docker compose build
try docker compose run --rm -T migrate
try docker compose run --rm -T --no-deps web gunicorn --config config/gunicorn.conf.py --check-config config.wsgi
try docker compose run --rm -T --no-deps caddy sh /deploy/caddy.sh validate
docker compose up --detach --wait
# A changed Caddyfile is no reason for compose to start Caddy again.
docker compose exec -T caddy sh /deploy/caddy.sh reload
