"""Store one row per session, without the text of tokens, instead of one row per token.

This is one transaction. On PostgreSQL it takes the same time for any number of rows. The indexes
are in the next migration, because they are built outside of a transaction.
"""

from datetime import UTC, timedelta

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from ..models import reasons
from ._tables import lock, refuse_other_databases, send_deferred


def drop_index_of_user(apps, schema_editor):
    """Drop Simple JWT's index on the user. An index on user and id replaces it.

    AlterField would drop and recreate the foreign key on PostgreSQL, which checks every row while
    both tables are locked.
    """
    connection = schema_editor.connection
    table = apps.get_model("token_blacklist", "OutstandingToken")._meta.db_table
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, constraint in found.items():
        if constraint["columns"] == ["user_id"] and constraint["index"]:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


def read_times_as_utc(apps, schema_editor):
    """Correct the times of a site with USE_TZ=False, for which Simple JWT wrote UTC without a zone.

    Django reads such times in TIME_ZONE. In Tokyo, sessions would expire nine hours too early.
    """
    if settings.USE_TZ:
        return
    sessions = apps.get_model("token_blacklist", "OutstandingToken").objects
    zone = timezone.get_default_timezone()
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(sessions.model._meta.db_table)
        in_utc = "{0} = {0} AT TIME ZONE current_setting('TimeZone') AT TIME ZONE 'UTC'"
        changes = ", ".join(in_utc.format(name) for name in ("created_at", "expires_at"))
        schema_editor.execute(f"UPDATE {table} SET {changes}")  # noqa: S608  # names
        return
    for key, *times in sessions.values_list("pk", "created_at", "expires_at").iterator():
        created_at, expires_at = (
            at and timezone.make_naive(at.replace(tzinfo=UTC), zone) for at in times
        )
        sessions.filter(pk=key).update(created_at=created_at, expires_at=expires_at)


class Migration(migrations.Migration):
    replaces = [
        ("token_blacklist", "0002_one_row_per_session"),
        ("token_blacklist", "0003_note_and_outcomes"),
        ("token_blacklist", "0005_one_index_of_the_user"),
        ("token_blacklist", "0006_no_constraint_at_the_flush"),
        ("token_blacklist", "0007_interrupted_flushes"),
        ("token_blacklist", "0008_reasons_of_the_code"),
    ]

    dependencies = [
        ("token_blacklist", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(refuse_other_databases, migrations.RunPython.noop),
        migrations.RunPython(
            lock(
                "token_blacklist.OutstandingToken",
                "token_blacklist.BlacklistedToken",
                referenced=(settings.AUTH_USER_MODEL,),
            ),
            migrations.RunPython.noop,
        ),
        # The jti of a Simple JWT token becomes the id of its session.
        migrations.RenameField("outstandingtoken", "jti", "session_id"),
        migrations.RemoveField("outstandingtoken", "token"),
        migrations.AddField(
            "outstandingtoken",
            "generation",
            models.IntegerField(db_default=0, default=0, verbose_name="generation"),
        ),
        migrations.AddField(
            "outstandingtoken",
            "refreshed_at",
            models.DateTimeField(blank=True, null=True, verbose_name="last refreshed"),
        ),
        migrations.AddField(
            "outstandingtoken",
            "ip_address",
            models.GenericIPAddressField(blank=True, null=True, verbose_name="IP address"),
        ),
        migrations.AddField(
            "outstandingtoken",
            "user_agent",
            models.CharField(
                blank=True, db_default="", default="", max_length=255, verbose_name="user agent"
            ),
        ),
        migrations.AddField(
            "blacklistedtoken",
            "reason",
            models.CharField(
                choices=reasons,
                db_default="api",
                default="api",
                max_length=16,
                verbose_name="reason",
            ),
        ),
        migrations.AddField(
            "blacklistedtoken",
            "blacklisted_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="ended by",
            ),
        ),
        migrations.AddField(
            "blacklistedtoken",
            "note",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why this session was ended.",
                max_length=255,
                verbose_name="note",
            ),
        ),
        # Without the constraint that PostgreSQL checks for each row that a flush deletes.
        migrations.AlterField(
            "blacklistedtoken",
            "token",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="token_blacklist.outstandingtoken",
                verbose_name="session",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunPython(drop_index_of_user, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.AlterField(
                    "outstandingtoken",
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FlushRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("duration", models.DurationField(default=timedelta(0), verbose_name="duration")),
                (
                    "outstanding_deleted",
                    models.PositiveBigIntegerField(default=0, verbose_name="sessions deleted"),
                ),
                (
                    "blacklisted_deleted",
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="ended sessions among them"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("done", "done"),
                            ("stopped", "stopped"),
                            ("out_of_time", "out of time"),
                            ("failed", "failed"),
                            ("interrupted", "interrupted"),
                        ],
                        default="running",
                        max_length=16,
                        verbose_name="outcome",
                    ),
                ),
            ],
            options={"verbose_name": "flush run", "verbose_name_plural": "flush runs"},
        ),
        # The operations below change only labels in the admin.
        migrations.AlterModelOptions(
            "outstandingtoken",
            {"verbose_name": "session", "verbose_name_plural": "sessions"},
        ),
        migrations.AlterModelOptions(
            "blacklistedtoken",
            {"verbose_name": "ended session", "verbose_name_plural": "ended sessions"},
        ),
        migrations.AlterField(
            "outstandingtoken",
            "session_id",
            models.CharField(max_length=255, unique=True, verbose_name="session id"),
        ),
        migrations.AlterField(
            "outstandingtoken",
            "created_at",
            models.DateTimeField(blank=True, null=True, verbose_name="signed in"),
        ),
        migrations.AlterField(
            "outstandingtoken",
            "expires_at",
            models.DateTimeField(verbose_name="expires"),
        ),
        migrations.AlterField(
            "blacklistedtoken",
            "blacklisted_at",
            models.DateTimeField(auto_now_add=True, verbose_name="ended"),
        ),
        migrations.RunPython(read_times_as_utc, migrations.RunPython.noop),
        migrations.RunPython(send_deferred, migrations.RunPython.noop),
    ]
