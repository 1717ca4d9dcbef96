from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _


class TokenBlacklistConfig(AppConfig):
    name = __package__
    label = "token_blacklist"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: Any) -> None:
        """Raise ImproperlyConfigured if Simple JWT's app of the same label is installed, too."""
        super().__init__(app_name, app_module)
        theirs = "rest_framework_simplejwt.token_blacklist"
        if any(name.startswith(theirs) for name in settings.INSTALLED_APPS):
            raise ImproperlyConfigured(
                f"Remove {theirs!r} from INSTALLED_APPS. {app_name!r} takes its place, with its "
                "tables and its app label."
            )

    def ready(self) -> None:
        from . import adoption, checks  # noqa: F401, PLC0415  # registers them

        if module_has_submodule(self.module, "services"):  # the folder can be deleted
            import_module(".services.options", self.name)  # registers them

        if apps.is_installed("django.contrib.auth"):
            from django.contrib.auth.signals import (  # noqa: PLC0415
                user_logged_in,
                user_logged_out,
            )

            from . import middleware  # noqa: PLC0415

            user_logged_in.connect(middleware.open_row)
            user_logged_out.connect(middleware.end_row)

        if apps.is_installed("drf_spectacular"):
            from . import schema  # noqa: F401, PLC0415  # describes the endpoints
