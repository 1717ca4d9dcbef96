"""Adds an index without blocking writes."""

from typing import Any

from django.db import migrations


class AddIndexConcurrently(migrations.AddIndex):
    """Django's AddIndex, which on PostgreSQL does not block writes and can be interrupted.

    For a migration with `atomic = False`, because PostgreSQL builds such an index outside
    transactions. An interrupted build leaves an invalid index, which the next run drops.
    """

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
            is_there = self.index.name in found
            if is_there and connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass",
                    [self.index.name],
                )
                if not cursor.fetchone()[0]:
                    cursor.execute(f'DROP INDEX CONCURRENTLY "{self.index.name}"')
                    is_there = False
        if is_there:
            return
        if connection.vendor == "postgresql":
            schema_editor.add_index(model, self.index, concurrently=True)
        else:
            schema_editor.add_index(model, self.index)
