"""A PostgreSQL with 1,000,000 sessions of 50,000 users, as after a month with many customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

USERS, SESSIONS, ENDED = 50_000, 1_000_000, 300_000
OFFICE = "203.0.113.80"  # an address that many users share
TABLES = "token_blacklist_outstandingtoken, token_blacklist_blacklistedtoken, accounts_user"

FILL = f"""
SET LOCAL session_replication_role = replica;  -- no foreign key is looked at
SELECT setseed(0.5);

INSERT INTO accounts_user
    (email, name, password, is_superuser, is_staff, is_active, date_joined)
SELECT 'customer' || n || '@example.com', 'Person ' || n, '!', false, false, n % 50 > 0,
    now() - random() * interval '900 days'
FROM generate_series(1, {USERS}) AS n;

-- One in 100 has no user any more; one in 50 belongs to the first user, who has a script.
WITH users AS (SELECT min(id) AS first FROM accounts_user),
signed_in AS (
    SELECT n, now() - interval '30 days' * (1 - n / {SESSIONS}.0) AS at, random() AS lasted
    FROM generate_series(1, {SESSIONS}) AS n
),
seen AS (  -- a third of them was in use on the last day
    SELECT *, least(
        at + interval '30 days' * lasted ^ 2,
        greatest(at, now() - random() * interval '1 day')
    ) AS last FROM signed_in
)
INSERT INTO token_blacklist_outstandingtoken
    (user_id, session_id, generation, created_at, refreshed_at, expires_at, ip_address, user_agent)
SELECT
    CASE WHEN n % 100 = 7 THEN NULL WHEN n % 50 = 3 THEN first
        ELSE first + floor(random() * {USERS})::int END,
    md5(n::text), floor(lasted * 40)::int, at,
    CASE WHEN lasted > 0.1 THEN last END, last + interval '1 day',
    (CASE WHEN n % 39 = 0 THEN '{OFFICE}'
        ELSE '10.' || (n % 8) || '.' || (n % 251) || '.' || floor(random() * 250)::int END)::inet,
    'Mozilla/5.0 (' || (ARRAY['iPhone; CPU iPhone OS 18_5', 'Windows NT 10.0', 'X11; Linux x86_64',
        'Linux; Android 15', 'Macintosh; Intel Mac OS X 10_15'])[1 + n % 5] || ')'
    || CASE WHEN n % 5 IN (0, 3) THEN ' Mobile/15E148' ELSE '' END
    || ' Safari/' || (600 + n % 40)
FROM seen, users;

INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at, reason, note)
SELECT id, least(now(), created_at + random() * interval '2 days') AS at,
    (ARRAY['logout', 'logout', 'logout', 'logout', 'logout', 'logout', 'logout', 'logout_all',
        'password', 'password', 'deactivated', 'api'])[1 + floor(random() * 12)::int], ''
FROM token_blacklist_outstandingtoken WHERE id % 10 IN (1, 4, 7) ORDER BY at;
UPDATE token_blacklist_blacklistedtoken SET reason = 'admin', note = 'stolen' WHERE id % 200 = 0;
UPDATE token_blacklist_blacklistedtoken SET reason = 'reuse' WHERE id % 10000 = 1;

INSERT INTO token_blacklist_flushrun
    (started_at, duration, outstanding_deleted, blacklisted_deleted, outcome)
SELECT now() - n * interval '1 day', interval '40 seconds', 30000, 9000, 'done'
FROM generate_series(1, 400) AS n;
"""

INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'token_blacklist_outstandingtoken'
    AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


@contextmanager
def crowded(now: datetime) -> Iterator[None]:
    """Fill the tables for that time; empty them afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            # Recreated after the inserts, which is three times as fast.
            cursor.execute(f'DROP INDEX "{name}"')
        with transaction.atomic():
            cursor.execute(FILL.replace("now()", f"'{now.isoformat()}'::timestamptz"))
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute(f"VACUUM (ANALYZE) {TABLES}")
        # The usual value for SSDs: with the default of 4, PostgreSQL avoids indexes.
        cursor.execute("SET random_page_cost = 1.1")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET random_page_cost")
        cursor.execute(f"TRUNCATE {TABLES}, token_blacklist_flushrun CASCADE")
