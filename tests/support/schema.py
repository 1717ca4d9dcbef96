"""One migrated database for all processes of a run, each of which gets a copy."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


@contextmanager
def copied(folder: Path, process: str) -> Iterator[None]:
    """Use a copy of the migrated database, which the first process makes. `folder` is shared.

    On a PostgreSQL server that outlives the run, the original stays until the next run.
    """
    creation, settings = connection.creation, connection.settings_dict
    configured = settings["NAME"]
    if connection.vendor == "sqlite":
        settings["TEST"]["NAME"] = str(folder / "schema.sqlite3")
    with (folder / "schema.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not (name := lock.read()):
            name = creation.create_test_db(verbosity=0, autoclobber=True)
            connection.close()  # which writes SQLite's log into the file
            lock.write(name)
            lock.flush()
        settings["NAME"] = name
        creation.clone_test_db(process, verbosity=0, autoclobber=True)
    settings.update(creation.get_test_db_clone_settings(process))
    connection.close()
    try:
        yield
    finally:
        creation.destroy_test_db(configured, verbosity=0)
