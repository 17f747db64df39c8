"""Several hooks in one: a gate calls one after each check."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.gate import Decision, OnVerdict


def combine(*hooks: OnVerdict) -> OnVerdict:
    """Return one hook that calls all of ``hooks``, in their order.

    An exception in one does not stop the others: it is raised after the last one was called (several as an
    ``ExceptionGroup``), and the gate logs it as it does those of a single hook. Raises ``TypeError`` if one of them
    cannot be called.
    """
    for hook in hooks:
        if not callable(hook):
            raise TypeError(f"on_verdict must be callable, not {type(hook).__name__}")
    return hooks[0] if len(hooks) == 1 else _Combined(hooks)


class _Combined:
    __slots__ = ("_hooks",)

    def __init__(self, hooks: tuple[OnVerdict, ...]) -> None:
        self._hooks = hooks

    def __call__(self, decision: Decision, seconds: float) -> None:
        errors: list[Exception] | None = None
        for hook in self._hooks:
            try:
                hook(decision, seconds)
            except Exception as error:
                errors = [*(errors or ()), error]
        if errors is not None:
            raise errors[0] if len(errors) == 1 else ExceptionGroup("several hooks raised", errors)

    def __repr__(self) -> str:
        return f"combine({', '.join(map(repr, self._hooks))})"


__all__ = ["combine"]
