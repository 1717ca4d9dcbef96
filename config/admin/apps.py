"""Replaces Django's admin site with the project's."""

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    default_site = "config.admin.site.AdminSite"

    def ready(self) -> None:
        super().ready()
        # Models are loaded.
        from allauth.mfa.signals import authenticator_added  # noqa: PLC0415

        from .site import link_back  # noqa: PLC0415

        authenticator_added.connect(link_back)
