from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _


class TokenBlacklistConfig(AppConfig):
    name = __package__
    label = "token_blacklist"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415  # registers them

        if module_has_submodule(self.module, "services"):  # the folder can be deleted
            from .services import options  # noqa: F401, PLC0415  # registers them

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
