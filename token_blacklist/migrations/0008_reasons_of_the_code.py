"""The choices of a reason are read from the model: a new one needs no migration. Changes no table."""

from django.db import migrations, models

import token_blacklist.models


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0007_interrupted_flushes")]

    operations = [
        migrations.AlterField(
            model_name="blacklistedtoken",
            name="reason",
            field=models.CharField(
                choices=token_blacklist.models.reasons,
                db_default="api",
                default="api",
                max_length=16,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="blacklistedtoken",
            name="note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why this session was ended.",
                max_length=255,
                verbose_name="note",
            ),
        ),
    ]
