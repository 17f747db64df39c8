"""Guard: the requirements for requests whose route a framework has chosen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchword._kernel import Decision, GateGuard
from watchword.gate.route import Requirements
from watchword.request import Headers

if TYPE_CHECKING:
    from watchword.gate.gate import Gate
    from watchword.gate.state import State


class Guard:
    """Checks requests against one set of requirements. :meth:`Gate.guard` makes one.

    The framework has chosen the route; ``variables`` are those of its path, for scopes that contain them.
    """

    def __init__(self, gate: Gate, requirements: Requirements) -> None:
        self.gate = gate
        self.requirements = requirements
        self._compiled: tuple[State, GateGuard] | None = None
        self._for(gate._current())

    def check(
        self,
        *,
        method: str,
        target: str | bytes,
        headers: Headers,
        variables: Mapping[str, object] | None = None,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
        now: float | None = None,
    ) -> Decision:
        """Decide on a request as of ``now`` in Unix seconds (``None``: the clock's); see :meth:`Gate.check`.

        Returns a :class:`Decision`; raises ``TypeError`` or ``ValueError`` if an argument is invalid.
        """
        return self.gate._check(self, method, target, headers, variables, certificate, form, now)

    async def check_async(
        self,
        *,
        method: str,
        target: str | bytes,
        headers: Headers,
        variables: Mapping[str, object] | None = None,
        certificate: bytes | str | None = None,
        form: bytes | None = None,
        now: float | None = None,
    ) -> Decision:
        """As :meth:`check`, waiting without blocking the event loop."""
        return await self.gate._check_async(self, method, target, headers, variables, certificate, form, now)

    def authorize(
        self, decision: Decision, *, variables: Mapping[str, object] | None = None, now: float | None = None
    ) -> Decision:
        """Return the decision on a request that the gate has checked, under these requirements, too.

        Nothing is verified again, as a DPoP proof can be used only once; a request that was rejected stays rejected.
        ``now`` is in Unix seconds (``None``: the clock's). ``on_verdict`` is called if the request is rejected here.
        """
        gate = self.gate
        begin = time.perf_counter()
        found = decision.authorize(self._for(gate._current()), pairs(variables), gate._at(now))
        if decision.allowed and not found.allowed:
            gate._report(found, time.perf_counter() - begin)
        return found

    def _for(self, state: State) -> GateGuard:
        """Return the requirements, compiled for the rules and issuers of this moment."""
        compiled = self._compiled
        if compiled is None or compiled[0] is not state:
            self._compiled = compiled = (state, state.guard(self.requirements))
        return compiled[1]


def pairs(variables: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Return variables as text: frameworks convert some to numbers."""
    return [(name, str(value)) for name, value in variables.items()] if variables else []


__all__ = ["Guard"]
