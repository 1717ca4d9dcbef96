"""The indexes for the flush and the admin, built without blocking requests."""

from django.db import migrations, models

INDEXES = {
    "outstandingtoken": [
        models.Index(fields=["expires_at"], name="outstanding_expires_at"),
        models.Index(fields=["user", "id"], name="outstanding_user"),
        models.Index(fields=["created_at"], name="outstanding_created_at"),
        models.Index(fields=["ip_address", "id"], name="outstanding_ip_address"),
    ],
    "blacklistedtoken": [
        models.Index(fields=["blacklisted_at", "reason"], name="blacklisted_at_reason"),
        models.Index(fields=["reason", "token"], name="blacklisted_reason_token"),
    ],
}


def build(apps, schema_editor):
    """Build the indexes, after dropping those that an interrupted run left, which may be invalid.

    Not by AddIndexConcurrently of django.contrib.postgres: it fails on SQLite, and cannot be
    imported if PostgreSQL's driver is not installed.
    """
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    how = {"concurrently": True} if is_postgresql else {}
    drop = "DROP INDEX CONCURRENTLY IF EXISTS" if is_postgresql else "DROP INDEX IF EXISTS"
    for model_name, indexes in INDEXES.items():
        model = apps.get_model("token_blacklist", model_name)
        for index in indexes:
            schema_editor.execute(f"{drop} {schema_editor.quote_name(index.name)}")
            schema_editor.add_index(model, index, **how)


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL builds indexes without blocking only outside of transactions

    replaces = [("token_blacklist", "0004_indexes")]

    dependencies = [("token_blacklist", "0002_sessions")]

    operations = [
        migrations.SeparateDatabaseAndState(
            # If it is reversed, the tables are dropped with their indexes.
            database_operations=[migrations.RunPython(build, migrations.RunPython.noop)],
            state_operations=[
                migrations.AddIndex(model_name, index)
                for model_name, indexes in INDEXES.items()
                for index in indexes
            ],
        )
    ]
