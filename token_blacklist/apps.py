from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class TokenBlacklistConfig(AppConfig):
    name = __package__
    label = "token_blacklist"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415  # registers them

        if apps.is_installed("drf_spectacular"):
            from . import schema  # noqa: F401, PLC0415  # describes the endpoints
