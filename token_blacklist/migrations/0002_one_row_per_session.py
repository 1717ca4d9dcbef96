"""From one row per token, with its text, to one row per session without it."""

from datetime import timedelta

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ..operations import LockTables, RunDeferredSQL


class Migration(migrations.Migration):
    dependencies = [
        ("token_blacklist", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        LockTables(
            "token_blacklist.OutstandingToken",
            "token_blacklist.BlacklistedToken",
            referenced=(settings.AUTH_USER_MODEL,),
        ),
        # The jti of a Simple JWT token is the id of the session that goes on from it.
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
                choices=[
                    ("logout", "signed out"),
                    ("logout_all", "signed out everywhere"),
                    ("admin", "ended by an administrator"),
                    ("reuse", "an old token came back"),
                    ("password", "the password was changed"),
                    ("deactivated", "the account was deactivated"),
                    ("api", "ended by the application"),
                ],
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
                verbose_name="blacklisted by",
            ),
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
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="outstanding tokens deleted"
                    ),
                ),
                (
                    "blacklisted_deleted",
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="blacklisted tokens deleted"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="running",
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
            ],
            options={"verbose_name": "flush run", "verbose_name_plural": "flush runs"},
        ),
        # From here on only what the admin calls things.
        migrations.AlterModelOptions(
            "outstandingtoken",
            {"verbose_name": "outstanding token", "verbose_name_plural": "outstanding tokens"},
        ),
        migrations.AlterModelOptions(
            "blacklistedtoken",
            {"verbose_name": "blacklisted token", "verbose_name_plural": "blacklisted tokens"},
        ),
        migrations.AlterField(
            "outstandingtoken",
            "user",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
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
            "token",
            models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                to="token_blacklist.outstandingtoken",
                verbose_name="outstanding token",
            ),
        ),
        migrations.AlterField(
            "blacklistedtoken",
            "blacklisted_at",
            models.DateTimeField(auto_now_add=True, verbose_name="blacklisted"),
        ),
        RunDeferredSQL(),
    ]
