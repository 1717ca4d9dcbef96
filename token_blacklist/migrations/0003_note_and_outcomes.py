"""A note on each ending, and more ways for a flush to end."""

from django.conf import settings
from django.db import migrations, models

from ..operations import LockTables


class Migration(migrations.Migration):
    dependencies = [
        ("token_blacklist", "0002_one_row_per_session"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        LockTables("token_blacklist.BlacklistedToken", "token_blacklist.FlushRun"),
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
    ]
