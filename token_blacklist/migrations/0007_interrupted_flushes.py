"""One more way for a flush to end. Changes no table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0006_no_constraint_at_the_flush")]

    operations = [
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
                    ("interrupted", "interrupted"),
                ],
                default="running",
                max_length=16,
                verbose_name="outcome",
            ),
        ),
    ]
