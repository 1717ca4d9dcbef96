"""Takes away the constraint that PostgreSQL looks at for each row that a flush deletes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("token_blacklist", "0005_one_index_of_the_user")]

    operations = [
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
