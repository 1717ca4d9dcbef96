from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models are loaded.
        from allauth.account.signals import password_changed  # noqa: PLC0415

        from .headless import keep_signed_in  # noqa: PLC0415
        from .sessions import end_sessions_before_deletion  # noqa: PLC0415

        pre_delete.connect(end_sessions_before_deletion, sender="accounts.User")
        password_changed.connect(keep_signed_in)
