"""A note on each ending, and the indexes that the admin reads by."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("token_blacklist", "0002_one_row_per_session"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="blacklistedtoken",
            name="note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why, for whoever looks here later.",
                max_length=255,
                verbose_name="note",
            ),
        ),
        migrations.AlterField(
            model_name="flushrun",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("running", "running"),
                    ("done", "done"),
                    ("stopped", "stopped"),
                    ("out_of_time", "out of time"),
                    ("failed", "failed"),
                ],
                default="running",
                max_length=16,
                verbose_name="outcome",
            ),
        ),
        migrations.AddIndex(
            model_name="blacklistedtoken",
            index=models.Index(fields=["blacklisted_at", "reason"], name="blacklisted_at_reason"),
        ),
        migrations.AddIndex(
            model_name="blacklistedtoken",
            index=models.Index(fields=["reason", "token"], name="blacklisted_reason_token"),
        ),
        migrations.AddIndex(
            model_name="outstandingtoken",
            index=models.Index(fields=["user", "id"], name="outstanding_user"),
        ),
        migrations.AlterField(
            model_name="outstandingtoken",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AddIndex(
            model_name="outstandingtoken",
            index=models.Index(fields=["created_at"], name="outstanding_created_at"),
        ),
        migrations.AddIndex(
            model_name="outstandingtoken",
            index=models.Index(fields=["ip_address", "id"], name="outstanding_ip_address"),
        ),
    ]
