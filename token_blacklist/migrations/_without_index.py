"""Drops the index of a foreign key, and keeps the foreign key."""

from typing import Any

from django.db import migrations, models


class DropIndex(migrations.AlterField):
    """Django's AlterField, for `db_index=False` as the only change.

    On PostgreSQL, Django also drops and recreates the foreign key, which checks every row while both
    tables are locked.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        model = from_state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql" or not self.allow_migrate_model(
            connection.alias, model
        ):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        column = model._meta.get_field(self.name).column
        for name in schema_editor._constraint_names(
            model, [column], index=True, type_=models.Index.suffix
        ):
            schema_editor.execute(schema_editor._delete_index_sql(model, name))
