"""Prints the app's tables as the database has them: columns, indexes and constraints."""

import json

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection  # noqa: E402

found = {}
with connection.cursor() as cursor:
    for model in apps.get_app_config("token_blacklist").get_models():
        table = model._meta.db_table
        columns = {
            column.name: [
                connection.introspection.get_field_type(column.type_code, column),
                column.null_ok,
                column.display_size or column.internal_size,
                str(column.default),
            ]
            for column in connection.introspection.get_table_description(cursor, table)
        }
        constraints = sorted(
            json.dumps(
                {
                    key: constraint.get(key)
                    for key in ("columns", "primary_key", "unique", "foreign_key", "index", "check")
                }
            )
            for constraint in connection.introspection.get_constraints(cursor, table).values()
        )
        found[table] = {"columns": columns, "constraints": constraints}
print(json.dumps(found))
