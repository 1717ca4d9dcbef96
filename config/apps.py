"""The app config that makes config/management/commands available in manage.py."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
