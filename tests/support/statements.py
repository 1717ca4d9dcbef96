"""The SQL statements that a block sends."""

from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

# They begin, limit and end transactions.
NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET LOCAL")


@contextmanager
def statements(*verbs):
    """Assert that the block sends exactly these statements, by their first words."""
    connection.ensure_connection()
    with CaptureQueriesContext(connection) as captured:
        yield
    sent = [q["sql"] for q in captured if not q["sql"].lstrip().upper().startswith(NOT_COUNTED)]
    assert [sql.split()[0] for sql in sent] == list(verbs), "\n".join(sent)
