"""Several machines share a PostgreSQL: on SQLite there is one, and nothing to try here."""

from django.conf import settings

if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
    collect_ignore_glob = ["test_*.py"]
