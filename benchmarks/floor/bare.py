"""The statements behind a bare WSGI function: what Python, PostgreSQL and this machine can do."""

import json
import os

from psycopg_pool import ConnectionPool

from .sql import answer, loads

pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=1, max_size=16, open=True, kwargs={"autocommit": True}
)


def application(environ, start_response):
    body = loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    bearer = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    with pool.connection() as connection:

        def execute(sql, params):
            cursor = connection.execute(sql, params)
            return cursor.fetchone() if cursor.description else None

        data = json.dumps(answer(environ["PATH_INFO"], body, bearer, execute)).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
    start_response("200 OK", headers)
    return [data]
