from django.db import migrations


class Migration(migrations.Migration):
    """Remove the field but keep the column, which the previous version reads during an update."""

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
