#!/bin/sh
# Takes over the newest version of the project that this product was made from, or another:
# scripts/update.sh [VERSION]. docs/updating.md says what to do with conflicts.
set -eu
cd "$(dirname "$0")/.."

[ -e .copier-answers.yml ] || {
    echo ".copier-answers.yml was not found: only a product made with Copier can be updated." >&2
    exit 1
}
.venv/bin/copier update --defaults --quiet ${1:+--vcs-ref "$1"}

conflicts=$(git diff --name-only --diff-filter=U)
if [ -n "$conflicts" ]; then
    printf 'Both sides changed the same lines. Solve the conflicts in these files, and add them:\n%s\n' \
        "$conflicts" >&2
    exit 1
fi
git diff --quiet && echo "It has the newest version." ||
    echo "Look at the changes with git diff, run make lint and make check, and commit them."
