"""Makes the site's commands known to manage.py."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
