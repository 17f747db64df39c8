"""Guards of the project's gate, made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from watchword.integrations.django.setting import get_gate

if TYPE_CHECKING:
    from watchword.gate import Gate, Guard


class Guards:
    """The guard of these requirements, of the gate that is set: a test may set another.

    The requirements are those of :meth:`watchword.gate.Gate.guard`.
    """

    def __init__(self, requirements: Mapping[str, Any]) -> None:
        self._requirements = requirements
        self._current: tuple[Gate, Guard] | None = None

    def current(self) -> tuple[Gate, Guard]:
        """Return the gate and the guard.

        Raises ``ImproperlyConfigured`` without a gate, and ``ValueError`` or ``TypeError`` if a requirement is invalid.
        """
        gate = get_gate()
        current = self._current
        if current is None or current[0] is not gate:
            current = self._current = (gate, gate.guard(**self._requirements))
        return current


__all__ = ["Guards"]
