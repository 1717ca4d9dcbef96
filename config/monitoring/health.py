"""Whether this process lives, and whether it is ready: /health/live/ and /health/ready/.

Not ready is 503, and a balancer stops sending requests. So only what a request cannot do without
makes it that: the database, with the tables that this code expects, and the static files' names. A
failing cache, a flush that failed or is overdue, and translations that are not compiled report
"degraded" with 200: a 503 on every node would itself be the outage.
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
    """Answer 200 `{"status": "ok"}`: the process takes requests. No query."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer `{"status": ok | degraded | unavailable, "checks": {name: "ok" or a sentence}}`."""
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
        del needed["migrations"], wanted["flush"]  # nobody knows
    if any(said != OK for said in needed.values()):
        status, code = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    elif any(said != OK for said in wanted.values()):
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


@remember  # an exception is not remembered, so a failure is checked again
def _require_migrations() -> None:
    """Raise LookupError while a migration is missing. Reads every migration's file."""
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(missing)} migrations are not applied: run migrate.")


@remember
def _require_translations() -> None:
    """Raise LookupError while a translation is not compiled. Looks at every file of them."""
    if not translations.are_compiled():
        raise LookupError(translations.NOT_COMPILED)


def _cache() -> str:
    try:
        cache.set("health", 1, timeout=60)  # a number, as all that is kept there
        if cache.get("health") == 1:
            return OK
        said = "it forgets what it was just told"
    except Exception as error:  # whatever the backend raises: it is the site's choice
        logger.error("the cache failed: %r", error)
        said = "it does not answer"
    return f"The cache fails ({said}): each process throttles alone."


def _flush() -> str:
    newest = FlushRun.objects.order_by("-started_at").first()
    if newest and newest.outcome == FlushRun.Outcome.FAILED:
        return f"The flush of {newest.started_at:%Y-%m-%d %H:%M} UTC failed: look at its log."
    if not flush.is_overdue():
        return OK
    last = flush.last_flush()
    when = f"the last was at {last.started_at:%Y-%m-%d %H:%M} UTC" if last else "there was none yet"
    return f"The flush is overdue, {when}: does the scheduler run?"
