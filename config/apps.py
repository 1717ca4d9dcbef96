"""Replaces Django's admin site, and starts Sentry and the metrics."""

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import ImproperlyConfigured

from . import sentry


class ConsoleConfig(AdminConfig):
    default_site = "config.console.Console"

    def ready(self) -> None:
        super().ready()
        if settings.SENTRY_DSN:
            sentry.start(settings.SENTRY_DSN)
        if settings.METRICS_TOKEN:
            from . import metrics  # noqa: PLC0415  # its models have to be ready

            try:
                metrics.start()
            except OSError as error:
                raise ImproperlyConfigured(f"METRICS_DIR is not writable. {error}") from error
