from django.db import migrations

from token_blacklist.operations import LockTables


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_user_texts'),
    ]

    operations = [
        LockTables("accounts.User"),
        migrations.RemoveField(
            model_name='user',
            name='signed_out_at',
        ),
    ]
