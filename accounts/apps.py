from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .sessions import end_deleted  # noqa: PLC0415  # models are loaded

        pre_delete.connect(end_deleted, sender="accounts.User")
