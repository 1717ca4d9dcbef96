"""Migrates. Prints of each migration of the app whether its own transaction records it."""

import json

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

record = MigrationExecutor.record_migration
recorded = {}


def note(executor, migration):
    if migration.app_label == "token_blacklist" and migration.atomic:
        recorded[migration.name] = connection.in_atomic_block
    record(executor, migration)


MigrationExecutor.record_migration = note
call_command("migrate", verbosity=0)
print(json.dumps(recorded))
