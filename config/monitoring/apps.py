"""Registers the checks, and starts what reports to other services, if that is configured."""

from django.apps import AppConfig

from .sentry import start_sentry


class MonitoringConfig(AppConfig):
    name = "config.monitoring"

    def ready(self) -> None:
        # Models are loaded.
        from . import checks  # noqa: F401, PLC0415  # they register themselves
        from .metrics import start_metrics  # noqa: PLC0415

        start_sentry()
        start_metrics()
