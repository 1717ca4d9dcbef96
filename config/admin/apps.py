"""Replaces Django's admin site with the project's."""

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    default_site = "config.admin.site.AdminSite"
