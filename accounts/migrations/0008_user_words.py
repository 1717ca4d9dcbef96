from django.db import migrations

NAME = "accounts_user_words"
# As in accounts/models.py, without the name of the table.
WORDS = "to_tsvector('simple', translate(name || ' ' || email, '@._+/''-', '       '))"


def build(apps, schema_editor):
    """Build the index for searches by surname and domain, without blocking requests.

    The state has no index, because SQLite has none of this kind.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")  # of an interrupted run
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {NAME} ON accounts_user USING gin ({WORDS})"
        )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL builds indexes without blocking only outside of transactions

    dependencies = [
        ('accounts', '0007_names_of_permissions'),
    ]

    operations = [migrations.RunPython(build, drop)]
