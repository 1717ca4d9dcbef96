"""The indexes that the flush and the admin read by, built while sign-ins go on."""

from django.db import migrations, models

from ._concurrently import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("token_blacklist", "0003_note_and_outcomes")]

    operations = [
        AddIndexConcurrently(
            "outstandingtoken",
            models.Index(fields=["expires_at"], name="outstanding_expires_at"),
        ),
        AddIndexConcurrently(
            "outstandingtoken",
            models.Index(fields=["user", "id"], name="outstanding_user"),
        ),
        AddIndexConcurrently(
            "outstandingtoken",
            models.Index(fields=["created_at"], name="outstanding_created_at"),
        ),
        AddIndexConcurrently(
            "outstandingtoken",
            models.Index(fields=["ip_address", "id"], name="outstanding_ip_address"),
        ),
        AddIndexConcurrently(
            "blacklistedtoken",
            models.Index(fields=["blacklisted_at", "reason"], name="blacklisted_at_reason"),
        ),
        AddIndexConcurrently(
            "blacklistedtoken",
            models.Index(fields=["reason", "token"], name="blacklisted_reason_token"),
        ),
    ]
