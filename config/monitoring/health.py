"""The health checks: /health/live/ and /health/ready/.

A load balancer stops sending requests to a process that answers 503, so only what every request
needs causes one: the database, its migrations, and the manifest of the static files. A failing
cache, a failed or overdue flush and missing translations report "degraded" with 200, because a 503
on every node would itself be the outage.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache as remember
from http import HTTPStatus

from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from token_blacklist.models import FlushRun
from token_blacklist.sessions import flush

from .. import static, translations

logger = logging.getLogger(__name__)

OK = "ok"


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Return 200 `{"status": "ok"}`: the process accepts requests. No query."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Return `{"status": ok | degraded | unavailable, "checks": {name: "ok" or a sentence}}`."""
    needed = {"database": OK, "migrations": OK}
    needed["static"] = OK if static.are_collected() else static.NOT_COLLECTED
    wanted = {"cache": _cache(), "flush": OK}
    wanted["translations"] = _met(_require_translations)
    try:
        needed["migrations"] = _met(_require_migrations)
        if needed["migrations"] == OK:
            wanted["flush"] = _flush()
    except DatabaseError as error:
        logger.error("the database did not answer: %s", type(error).__name__, exc_info=error)
        needed["database"] = "The database does not answer."
        del needed["migrations"], wanted["flush"]  # unknown
    if any(result != OK for result in needed.values()):
        status, code = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    elif any(result != OK for result in wanted.values()):
        status, code = "degraded", HTTPStatus.OK
    else:
        status, code = OK, HTTPStatus.OK
    return JsonResponse({"status": status, "checks": needed | wanted}, status=code)


def _met(require: Callable[[], None]) -> str:
    try:
        require()
    except LookupError as error:
        return str(error)
    return OK


@remember  # exceptions are not cached, so a failed check is repeated
def _require_migrations() -> None:
    """Raise LookupError if a migration is not applied. Reads the file of every migration."""
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(missing)} migrations are not applied: run migrate.")


@remember
def _require_translations() -> None:
    """Raise LookupError if a translation is not compiled. Checks every file."""
    if not translations.are_compiled():
        raise LookupError(translations.NOT_COMPILED)


def _cache() -> str:
    try:
        cache.set("health", 1, timeout=60)
        if cache.get("health") == 1:
            return OK
        problem = "a value that was just written is missing"
    except Exception as error:  # each backend raises its own
        logger.error("the cache failed: %r", error)
        # redis-py's name for a wrong or missing password.
        is_password = type(error).__name__ == "AuthenticationError"
        problem = "it refuses the password" if is_password else "it does not answer"
    return f"The cache fails ({problem}): nobody can sign in."


def _flush() -> str:
    newest = FlushRun.objects.order_by("-started_at").first()
    if newest and newest.outcome == FlushRun.Outcome.FAILED:
        return f"The flush of {newest.started_at:%Y-%m-%d %H:%M} UTC failed: look at its log."
    if not flush.is_overdue():
        return OK
    last = flush.last_flush()
    when = f"the last was at {last.started_at:%Y-%m-%d %H:%M} UTC" if last else "there was none yet"
    return f"The flush is overdue, {when}: does the scheduler run?"
