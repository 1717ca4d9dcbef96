"""The statements that this project sends, and what is made of them where nothing else is done.

A token is here the session's id and its generation, unsigned: what the floors leave out is
everything but the statements, reading a request and writing an answer.
"""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

USER_BY_EMAIL = """
    SELECT id, password, last_login, is_superuser, email, name, is_staff, is_active, date_joined
    FROM accounts_user WHERE email = %s LIMIT 21
"""
SIGN_IN = """
    INSERT INTO token_blacklist_outstandingtoken
        (user_id, session_id, generation, created_at, expires_at, ip_address, user_agent)
    SELECT %s, %s, 0, %s, %s, '127.0.0.1', 'bench' FROM accounts_user
    WHERE is_active AND id = %s AND password = %s FOR NO KEY UPDATE RETURNING id
"""
REFRESH = """
    UPDATE token_blacklist_outstandingtoken AS t
    SET generation = %s, refreshed_at = %s, expires_at = %s,
        ip_address = '127.0.0.1', user_agent = 'bench'
    WHERE EXISTS (SELECT 1 FROM accounts_user u WHERE u.is_active AND u.id = t.user_id)
        AND session_id = %s AND generation = %s AND expires_at > %s
        AND (SELECT b.id FROM token_blacklist_blacklistedtoken b WHERE b.token_id = t.id) IS NULL
"""
SESSION = """
    SELECT t.id, t.user_id, t.session_id, t.generation, t.created_at, t.refreshed_at,
        t.expires_at, t.ip_address, t.user_agent, b.id, b.reason, u.id, u.email, u.is_active
    FROM token_blacklist_outstandingtoken t
    LEFT JOIN accounts_user u ON u.id = t.user_id
    LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = t.id
    WHERE t.session_id = %s ORDER BY t.id LIMIT 1
"""
SIGN_OUT = """
    INSERT INTO token_blacklist_blacklistedtoken
        (token_id, blacklisted_at, reason, blacklisted_by_id, note)
    SELECT id, %s, 'logout', user_id, '' FROM token_blacklist_outstandingtoken
    WHERE id = %s FOR KEY SHARE ON CONFLICT DO NOTHING RETURNING id
"""
PROVE = """
    SELECT u.id, u.password, u.last_login, u.is_superuser, u.email, u.name, u.is_staff,
        u.is_active, u.date_joined, EXISTS (
            SELECT 1 FROM token_blacklist_outstandingtoken t
            LEFT JOIN token_blacklist_blacklistedtoken b ON b.token_id = t.id
            WHERE t.session_id = %s AND t.user_id = u.id AND t.expires_at > %s AND b.id IS NULL
        )
    FROM accounts_user u WHERE u.id = %s LIMIT 1
"""
DAY = timedelta(days=1)

Execute = Callable[[str, tuple[Any, ...]], Any]


def answer(path: str, body: dict[str, Any], bearer: str, execute: Execute) -> dict[str, Any]:
    """Do what the endpoint does, as far as the database sees it."""
    now = datetime.now(UTC)
    match path:
        case "/api/token/":
            user = execute(USER_BY_EMAIL, (body["email"],))
            session_id = uuid.uuid4().hex
            execute(SIGN_IN, (user[0], session_id, now, now + DAY, user[0], user[1]))
            return {"access": f"{session_id}.{user[0]}", "refresh": f"{session_id}.0"}
        case "/api/token/refresh/":
            session_id, generation = body["refresh"].split(".")
            n = int(generation)
            execute(REFRESH, (n + 1, now, now + DAY, session_id, n, now))
            return {"access": session_id, "refresh": f"{session_id}.{n + 1}"}
        case "/api/token/blacklist/":
            record = execute(SESSION, (body["refresh"].split(".")[0],))
            execute(SIGN_OUT, (now, record[0]))
            return {}
        case "/api/me/":
            session_id, user_id = bearer.split(".")
            user = execute(PROVE, (session_id, now, int(user_id)))
            return {"id": user[0], "email": user[4], "name": user[5], "joined": str(user[8])}
    raise LookupError(path)


def loads(body: bytes) -> dict[str, Any]:
    return json.loads(body) if body else {}
