"""Takes away the index of the user alone: the one of user and id does its work."""

from django.conf import settings
from django.db import migrations, models

from ..operations import LockTables
from ._without_index import DropIndex


class Migration(migrations.Migration):
    dependencies = [
        ("token_blacklist", "0004_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        LockTables("token_blacklist.OutstandingToken"),
        DropIndex(
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
    ]
