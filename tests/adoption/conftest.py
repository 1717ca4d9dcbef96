"""The page compares both on PostgreSQL."""

from django.conf import settings

if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
    collect_ignore = ["test_page.py"]
