"""What the integrations of frameworks that call functions have in common: check a request, and answer for failures."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypedDict

from watchword.integrations._answers import Answer, failed, metadata, rejection

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate, Guard


class Arguments(TypedDict):
    """What is checked of a request: see :meth:`watchword.gate.Gate.check`."""

    method: str
    target: str | bytes
    headers: list[tuple[str, str]] | list[tuple[bytes, bytes]]
    certificate: str | bytes | None


class ServerRequest(Protocol):
    """A request of a server or framework."""

    def arguments(self) -> Arguments:
        """Return what is checked of it."""
        ...

    def form(self) -> bytes | None:
        """Return the beginning of its body if that is a form, else ``None``."""
        ...

    def decision(self, gate: Gate, *, by_routes: bool = False) -> Decision | None:
        """Return the decision by which this gate has allowed it before, or ``None``; ``by_routes``: by its routes."""
        ...

    def admit(self, gate: Gate, decision: Decision, *, by_routes: bool) -> None:
        """Remove what clients may not send, and leave the decision for the application."""
        ...


def decide(gate: Gate, request: ServerRequest) -> Decision:
    """Return the gate's decision on a request, by its routes, and prepare an allowed one for the application.

    The decision is that of another integration of the same gate, if one was outside of this.
    """
    try:
        before = request.decision(gate, by_routes=True)
        if before is not None:
            return before
        arguments = request.arguments()
        decision = gate.check(**arguments)
        if _may_be_explained(decision) and (form := request.form()):
            decision = _explained(decision, gate.check(**arguments, form=form))
        return _prepared(gate, request, decision, by_routes=True)
    except Exception as error:
        return failed(gate, error)


async def decide_async(gate: Gate, request: ServerRequest) -> Decision:
    """As :func:`decide`, without blocking the event loop."""
    try:
        before = request.decision(gate, by_routes=True)
        if before is not None:
            return before
        arguments = request.arguments()
        decision = await gate.check_async(**arguments)
        if _may_be_explained(decision) and (form := request.form()):
            decision = _explained(decision, await gate.check_async(**arguments, form=form))
        return _prepared(gate, request, decision, by_routes=True)
    except Exception as error:
        return failed(gate, error)


def authorize(gate: Gate, guard: Guard, request: ServerRequest, variables: Mapping[str, object]) -> Decision:
    """As :func:`decide`, by a guard of the gate. ``variables`` are those of the path, as the framework parsed them.

    Of a request that the gate has allowed before, only the guard's requirements are checked: its proof is used up.
    """
    try:
        values = as_text(variables)
        before = _verified_before(gate, request)
        if before is not None:
            return _authorized(before, guard.authorize(before, variables=values))
        arguments = request.arguments()
        decision = guard.check(**arguments, variables=values)
        if _may_be_explained(decision) and (form := request.form()):
            decision = _explained(decision, guard.check(**arguments, variables=values, form=form))
        return _prepared(gate, request, decision, by_routes=False)
    except Exception as error:
        return failed(gate, error)


async def authorize_async(
    gate: Gate, guard: Guard, request: ServerRequest, variables: Mapping[str, object]
) -> Decision:
    """As :func:`authorize`, without blocking the event loop."""
    try:
        values = as_text(variables)
        before = _verified_before(gate, request)
        if before is not None:
            return _authorized(before, guard.authorize(before, variables=values))
        arguments = request.arguments()
        decision = await guard.check_async(**arguments, variables=values)
        if _may_be_explained(decision) and (form := request.form()):
            decision = _explained(decision, await guard.check_async(**arguments, variables=values, form=form))
        return _prepared(gate, request, decision, by_routes=False)
    except Exception as error:
        return failed(gate, error)


def document(gate: Gate, request: ServerRequest) -> Answer | None:
    """Return the answer to a request for the protected resource metadata (RFC 9728), ``None`` to any other.

    Who asks for it has no token yet.
    """
    try:
        arguments = request.arguments()
        target = arguments["target"]
        path = target.decode("latin-1") if isinstance(target, bytes) else target
        if not path.startswith("/.well-known/") or path != gate.metadata_path:
            return None
        return metadata(gate.metadata(), arguments["method"])
    except Exception as error:
        return rejection(failed(gate, error))


def check_gate(gate: object) -> None:
    """Raise ``TypeError`` unless it can check requests: otherwise the first request would be the first to notice."""
    if not callable(getattr(gate, "check", None)) or not callable(getattr(gate, "failed", None)):
        raise TypeError(f"gate must be a watchword.gate.Gate, not {type(gate).__name__}")


def as_text(variables: Mapping[str, object]) -> dict[str, str]:
    """Return the variables of a path as text.

    Only those whose text says which resource is meant: an object that a converter has loaded may call itself anything.
    A scope with a variable that is missing is never granted.
    """
    kinds = (str, int, float, uuid.UUID, datetime.date)
    return {name: str(value) for name, value in variables.items() if isinstance(value, kinds)}


def _may_be_explained(decision: Decision) -> bool:
    """Return whether a form in the body can be the reason why a request has no token (RFC 6750 section 2.2)."""
    return not decision.allowed and decision.code == "missing_token"


def _explained(decision: Decision, by_form: Decision) -> Decision:
    """Return a rejection with a better reason: a form can give that, and nothing else."""
    return decision if by_form.allowed else by_form


def _prepared(gate: Gate, request: ServerRequest, decision: Decision, *, by_routes: bool) -> Decision:
    if decision.allowed:
        request.admit(gate, decision, by_routes=by_routes)
    return decision


def _authorized(before: Decision, decision: Decision) -> Decision:
    # The earlier one stays the request's: it has the route.
    return before if decision.allowed else decision


def _verified_before(gate: Gate, request: ServerRequest) -> Decision | None:
    """Return the gate's earlier decision, if it was about a token: on a public route, none was read."""
    decision = request.decision(gate)
    return decision if decision is not None and decision.token is not None else None


__all__ = [
    "Arguments",
    "ServerRequest",
    "as_text",
    "authorize",
    "authorize_async",
    "check_gate",
    "decide",
    "decide_async",
    "document",
]
