"""Registers the checks, and starts Sentry and the metrics if they are configured."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from . import checks, sentry  # noqa: F401  # the checks register themselves


class MonitoringConfig(AppConfig):
    name = "config.monitoring"

    def ready(self) -> None:
        if settings.SENTRY_DSN:
            sentry.start(settings.SENTRY_DSN)
        if settings.METRICS_TOKEN:
            from . import metrics  # noqa: PLC0415  # its models have to be ready

            try:
                metrics.start()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"METRICS_DIR is not writable: {error.strerror}."
                ) from error
