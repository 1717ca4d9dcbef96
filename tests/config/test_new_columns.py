"""Columns of existing tables: while `migrate` runs, the version before still inserts rows."""

import pytest
from django.apps import apps
from django.db.migrations import AddField
from django.db.migrations.loader import MigrationLoader

OWN = [app.label for app in apps.get_app_configs() if app.name in ("accounts", "token_blacklist")]


@pytest.mark.parametrize("app", OWN)
def test_a_new_column_needs_no_value_from_the_version_before(app):
    migrations = MigrationLoader(None).disk_migrations
    added = [
        operation
        for (label, _name), migration in migrations.items()
        for operation in migration.operations
        if label == app and isinstance(operation, AddField)
    ]

    assert added
    for column in added:
        assert column.field.null or column.field.has_db_default(), column.name
