"""Adds an index while sign-ins go on."""

from typing import Any

from django.db import migrations


class AddIndexConcurrently(migrations.AddIndex):
    """Django's AddIndex, which on PostgreSQL locks nobody out, and may be stopped and run again.

    For a migration with `atomic = False`: PostgreSQL builds such an index outside transactions.
    What a build that was stopped leaves behind is an index that is not valid, and is dropped.
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
