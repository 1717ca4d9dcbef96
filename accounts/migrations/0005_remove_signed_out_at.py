from django.db import migrations


class Migration(migrations.Migration):
    """Forget the field, and keep the column: during an update, the version before reads it."""

    dependencies = [
        ('accounts', '0004_user_texts'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(
                    model_name='user',
                    name='signed_out_at',
                ),
            ],
        ),
    ]
