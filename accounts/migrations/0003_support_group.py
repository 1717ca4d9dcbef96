from django.db import migrations

# Created here, because Django creates permissions after the last migration, so a new database has
# none yet. Django then keeps these and creates the others.
RIGHTS = {
    ("accounts", "user"): {
        "view_user": "Can view user",
        "send_password_link": "Can send a link for a new password",
    },
    ("token_blacklist", "outstandingtoken"): {
        "view_outstandingtoken": "Can view session",
    },
    ("token_blacklist", "blacklistedtoken"): {
        "view_blacklistedtoken": "Can view ended session",
        "add_blacklistedtoken": "Can add ended session",
    },
}


def make_group(apps, schema_editor):
    """Create the group Support. An existing group of that name is not changed."""
    using = schema_editor.connection.alias
    group, is_new = apps.get_model("auth", "Group").objects.using(using).get_or_create(name="Support")
    if not is_new:
        return
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for (app_label, model), names in RIGHTS.items():
        content_type, _ = content_types.get_or_create(app_label=app_label, model=model)
        for codename, name in names.items():
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_user_signed_out_at'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='user',
            options={
                'permissions': [('send_password_link', 'Can send a link for a new password')],
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
            },
        ),
        # A backward migration keeps the group, which may have members and other permissions.
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
