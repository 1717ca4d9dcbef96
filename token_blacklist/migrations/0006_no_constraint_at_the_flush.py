"""Takes away the constraint that PostgreSQL looks at for each row that a flush deletes."""

from django.db import migrations, models

from ..operations import LockTables


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0005_one_index_of_the_user")]

    operations = [
        LockTables("token_blacklist.OutstandingToken", "token_blacklist.BlacklistedToken"),
        migrations.AlterField(
            model_name="blacklistedtoken",
            name="token",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=models.CASCADE,
                to="token_blacklist.outstandingtoken",
                verbose_name="outstanding token",
            ),
        ),
    ]
