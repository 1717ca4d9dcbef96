from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models are loaded.
        from allauth.account import signals  # noqa: PLC0415
        from post_office.signals import email_queued  # noqa: PLC0415

        from token_blacklist.signals import token_issued, tokens_flushed  # noqa: PLC0415

        from .background import wake  # noqa: PLC0415
        from .daily import delete_old  # noqa: PLC0415
        from .headless import keep_signed_in  # noqa: PLC0415
        from .sessions import end_sessions_before_deletion  # noqa: PLC0415
        from .sign_in_methods import renew_auth_time  # noqa: PLC0415

        pre_delete.connect(end_sessions_before_deletion, sender="accounts.User")
        signals.password_changed.connect(keep_signed_in)
        signals.authentication_step_completed.connect(renew_auth_time)
        email_queued.connect(wake)
        token_issued.connect(wake)
        tokens_flushed.connect(delete_old)
