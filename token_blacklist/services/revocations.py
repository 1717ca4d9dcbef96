"""The revocation feed: recently ended sessions, for services that verify tokens by themselves.

A service that checks signatures and `exp` needs only the sessions that ended within the lifetime of
an access token: the tokens of all others have expired. It polls for the records committed since its
last request, and misses none, in any order of the commits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections, router, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from ..keys import CLOCK_SKEW
from ..models import BlacklistedToken, OutstandingToken
from ..utils import as_stored, aware_now
from ..views import JSONView
from .introspection import ServiceAuthentication
from .options import LONGEST_LEEWAY, conf

NO_TIME = timedelta(0)
CURSOR = re.compile(r"(\d{1,20})\.(\d{1,20})", re.ASCII)


@dataclass(frozen=True)
class Revocations:
    """The ids of ended sessions, and the cursor for the next request."""

    sessions: list[str]
    cursor: str


def window(leeway: timedelta = NO_TIME) -> timedelta:
    """Return how long an access token may be accepted after its session was ended.

    `leeway` is that of the reading service, which accepts the token for this much longer.
    """
    longest = max(conf.ACCESS_TOKEN_LIFETIME, conf.SLIDING_TOKEN_LIFETIME)
    return longest + max(conf.LEEWAY, leeway) + CLOCK_SKEW


def read(after: str = "", leeway: timedelta = NO_TIME) -> Revocations:
    """Return the sessions that were ended within the window and committed since `after`.

    A session may be returned again. The whole window is returned if `after` is empty, or comes from
    another server or from before a restore. One SELECT on PostgreSQL, two on SQLite.

    Raises:
        ValueError: `after` is not a cursor.
    """
    given = CURSOR.fullmatch(after or "0.0")
    if given is None:
        raise ValueError("not a cursor")
    server, position = int(given[1]), int(given[2])
    using = router.db_for_write(BlacklistedToken)
    since = aware_now() - window(leeway)
    if connections[using].vendor == "postgresql":
        return _by_transaction(using, since, server, position)
    return _by_id(using, since, position)


# A transaction that was not yet visible at `oldest` has an id of at least `oldest`, and each of its
# savepoints has, too. A row stores the lower 32 bits of the id. The full id is the one with these
# bits that is nearest to `next`. Row ids cannot be used, because the row with the lower id may be
# committed last.
BY_TRANSACTION = """
WITH now AS MATERIALIZED (
    SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS server,
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
), record AS MATERIALIZED (
    SELECT token_id FROM {blacklisted} AS record, now
    WHERE blacklisted_at >= %s AND (
        now.server <> %s OR now.next < %s
        OR now.next - 2147483648
           + ((record.xmin::text::bigint - now.next + 2147483648) & 4294967295) >= %s
    )
)
SELECT now.server, now.oldest, session.session_id
FROM now LEFT JOIN (record JOIN {outstanding} AS session ON session.id = record.token_id) ON true
"""


def _by_transaction(using: str, since: Any, server: int, position: int) -> Revocations:
    rows = _rows(using, BY_TRANSACTION, [since, server, position, position])
    sessions = [session for _server, _oldest, session in rows if session is not None]
    return Revocations(sessions, f"{rows[0][0]}.{rows[0][1]}")


# SQLite writes one transaction at a time, so the ids are in the order of the commits, and with
# AUTOINCREMENT none is used twice.
LAST_ID = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s"
BY_ID = """
SELECT record.id, session.session_id
FROM {blacklisted} AS record JOIN {outstanding} AS session ON session.id = record.token_id
WHERE record.blacklisted_at >= %s AND record.id > %s
"""


def _by_id(using: str, since: Any, position: int) -> Revocations:
    ((last,),) = _rows(using, LAST_ID, [BlacklistedToken._meta.db_table])
    since = connections[using].ops.adapt_datetimefield_value(as_stored(since))
    rows = _rows(using, BY_ID, [since, position if position <= last else 0])
    ids, sessions = zip(*rows, strict=True) if rows else ((), ())
    return Revocations(list(sessions), f"0.{max([last, *ids])}")


def _rows(using: str, sql: str, params: list[Any]) -> list[Any]:
    quote = connections[using].ops.quote_name
    tables = {
        "blacklisted": quote(BlacklistedToken._meta.db_table),
        "outstanding": quote(OutstandingToken._meta.db_table),
    }
    with connections[using].cursor() as cursor:
        cursor.execute(sql.format(**tables), params)
        rows: list[Any] = cursor.fetchall()
    return rows


class RevocationsQuery(serializers.Serializer[Any]):
    after = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The last cursor."
    )
    leeway = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=int(LONGEST_LEEWAY.total_seconds()),
        help_text="How many seconds the service accepts a token after its expiry.",
    )


class RevocationsSerializer(serializers.Serializer[Any]):
    """The sessions that have ended since the last cursor."""

    cursor = serializers.CharField(help_text="Send it as `after` with the next request.")
    window = serializers.IntegerField(help_text="Keep each session for this many seconds.")
    revoked = serializers.ListField(
        child=serializers.CharField(), help_text="Refuse tokens with one of these as `sid`."
    )


class RevocationsView(JSONView):
    """Returns the sessions that were ended since the cursor, for a service with a secret."""

    operation_id, summary = "token_revocations", "Read the revocation feed"
    query = RevocationsQuery
    answers: dict[int, Any] = {200: RevocationsSerializer}
    authentication_classes = (ServiceAuthentication,)
    permission_classes = (IsAuthenticated,)

    # With ATOMIC_REQUESTS, each poll would have a BEGIN and a COMMIT around its one SELECT.
    @transaction.non_atomic_requests
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        query = RevocationsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        leeway = timedelta(seconds=query.validated_data["leeway"])
        try:
            found = read(query.validated_data["after"], leeway)
        except ValueError as error:
            sentence = _("Send the cursor of the last response, or leave it out.")
            raise serializers.ValidationError({"after": [sentence]}) from error
        return Response(
            {
                "cursor": found.cursor,
                "window": int(window(leeway).total_seconds()),
                "revoked": found.sessions,
            }
        )


revocations = RevocationsView.as_view()
