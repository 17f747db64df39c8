"""The setting ``WATCHWORD_GATE``: the gate of a project."""

from __future__ import annotations

import threading
from os import PathLike, fspath
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from watchword.fork_safety import register_after_fork
from watchword.gate import Gate

_NAME = "WATCHWORD_GATE"


class _Setting:
    """The gate that the setting names, made when it is first needed."""

    def __init__(self) -> None:
        self._gate: Gate | None = None
        self.after_fork()
        register_after_fork(self)

    def get(self) -> Gate:
        gate = self._gate
        if gate is None:
            with self._lock:
                gate = self._gate = self._gate or _load(getattr(settings, _NAME, None))
        return gate

    def forget(self, *, setting: str, **_: Any) -> None:  # noqa: ANN401  # what the signal is sent with
        if setting == _NAME:
            self._gate = None

    def after_fork(self) -> None:
        """Make a new lock: another thread of the parent may have held it."""
        # Reentrant, as the module that has the gate may use the decorator.
        self._lock = threading.RLock()


def _load(value: object) -> Gate:
    if not value or not isinstance(value, (str, PathLike)):
        raise ImproperlyConfigured(
            f"the setting {_NAME} is missing: set it to the dotted path of a watchword.gate.Gate, "
            'such as "shop.gate.gate", or to the path of its TOML file'
        )
    name = fspath(value)
    try:
        if isinstance(value, PathLike) or name.endswith((".toml", ".json")):
            return Gate.from_file(name)
        gate: object = import_string(name)
    except Exception as error:
        raise ImproperlyConfigured(f"the setting {_NAME} is {name!r}: {error}") from error
    if not isinstance(gate, Gate):
        raise ImproperlyConfigured(
            f"the setting {_NAME} is {name!r}: this is a {type(gate).__name__}, and must be a watchword.gate.Gate"
        )
    return gate


_setting = _Setting()
# What tests change.
setting_changed.connect(_setting.forget, dispatch_uid="watchword.integrations.django")


def get_gate() -> Gate:
    """Return the gate that the setting ``WATCHWORD_GATE`` names; that of a file is made once.

    Raises ``ImproperlyConfigured`` if the setting is missing, or names no valid gate.
    """
    return _setting.get()


__all__ = ["get_gate"]
