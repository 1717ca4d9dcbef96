#!/bin/sh
# Updates a compose project: `git pull --ff-only && sh deploy/update.sh`, or `make deploy`.
# Builds and checks the new version and migrates while the old version still serves. If a step fails,
# the old version stays. `docker compose up` alone would stop it first.
set -eu
cd "$(dirname "$0")/.."

image=$(docker compose config --images keys)
old=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)

try() {
    "$@" || {
        # So that the next `docker compose up` or `run` uses the old image.
        [ -z "$old" ] || docker tag "$old" "$image"
        echo "Not updated: the previous version is still serving. This failed: $*" >&2
        exit 1
    }
}

try docker compose build
try docker compose run --rm -T migrate
try docker compose run --rm -T --no-deps web gunicorn --config config/gunicorn.conf.py --check-config config.wsgi
try docker compose run --rm -T --no-deps caddy sh /deploy/caddy.sh validate
docker compose up --detach --wait
# Compose does not restart Caddy when only the Caddyfile has changed.
docker compose exec -T caddy sh /deploy/caddy.sh reload
