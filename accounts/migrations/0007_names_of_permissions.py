from django.db import migrations

NAMES = {"outstandingtoken": "session", "blacklistedtoken": "ended session"}
FORMER = {"outstandingtoken": "outstanding token", "blacklistedtoken": "blacklisted token"}


def rename(apps, schema_editor):
    """Name the permissions as the admin names sessions. Django keeps the names of existing ones."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for model, name in NAMES.items():
        for action in ("add", "change", "delete", "view"):
            permissions.filter(
                content_type__app_label="token_blacklist",
                codename=f"{action}_{model}",
                name=f"Can {action} {FORMER[model]}",
            ).update(name=f"Can {action} {name}")


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_second_factor_permission'),
    ]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
