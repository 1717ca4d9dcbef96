from django.db import migrations

# What 0003 has given the group.
GIVEN = {
    "view_user",
    "send_password_link",
    "view_outstandingtoken",
    "view_blacklistedtoken",
    "add_blacklistedtoken",
}


def allow(apps, schema_editor):
    """Let the group Support see which e-mails wait or failed, unless the site has changed it."""
    using = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(using).filter(name="Support").first()
    if group is None or set(group.permissions.values_list("codename", flat=True)) != GIVEN:
        return
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    content_type, _ = content_types.get_or_create(app_label="post_office", model="email")
    permission, _ = permissions.get_or_create(
        content_type=content_type, codename="view_email", defaults={"name": "Can view Email"}
    )
    group.permissions.add(permission)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_activity'),
        ('post_office', '0001_initial'),
    ]

    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
