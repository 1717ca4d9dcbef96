"""The two tables of Simple JWT 5.5.1.

A site that used Simple JWT has them, and has this migration in its history under the same name, so
only the next migrations run there.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ._tables import lock, refuse_other_databases


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.RunPython(refuse_other_databases, migrations.RunPython.noop),
        migrations.RunPython(
            lock(referenced=(settings.AUTH_USER_MODEL,)), migrations.RunPython.noop
        ),
        migrations.CreateModel(
            name="OutstandingToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("jti", models.CharField(max_length=255, unique=True)),
                ("token", models.TextField()),
                ("created_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BlacklistedToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("blacklisted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="token_blacklist.outstandingtoken",
                    ),
                ),
            ],
        ),
    ]
