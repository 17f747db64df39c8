"""The application for ``INSTALLED_APPS``: it has no models, only a system check."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from watchword.integrations.django.setting import get_gate


class WatchwordConfig(AppConfig):
    """Registers the system check of the setting ``WATCHWORD_GATE``."""

    name = "watchword.integrations.django"
    label = "watchword"
    verbose_name = "Watchword"

    def ready(self) -> None:
        """Register the check, which ``manage.py check`` and ``runserver`` run."""
        checks.register(check_gate, checks.Tags.security)


def check_gate(app_configs: object, **_: Any) -> list[checks.Error]:  # noqa: ANN401  # what Django passes
    """Return an error if the setting ``WATCHWORD_GATE`` is missing or invalid."""
    del app_configs
    try:
        get_gate()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="watchword.E001")]
    return []


__all__ = ["WatchwordConfig", "check_gate"]
