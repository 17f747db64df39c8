"""Several hooks in one: all are called, whatever one of them raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from decisions import FakeDecision, make_gate, send

from watchword.observability import combine


def test_all_hooks_are_called_in_their_order() -> None:
    calls = []
    hook = combine(lambda *given: calls.append((1, *given)), lambda *given: calls.append((2, *given)))
    decision = FakeDecision()
    hook(decision, 0.5)
    assert calls == [(1, decision, 0.5), (2, decision, 0.5)]


def test_an_exception_in_one_does_not_stop_the_others() -> None:
    calls = []

    def failing(*_: object) -> None:
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        combine(failing, lambda *_: calls.append(1))(FakeDecision(), 0.5)
    with pytest.raises(ExceptionGroup) as caught:
        combine(failing, failing, lambda *_: calls.append(2))(FakeDecision(), 0.5)
    assert [str(error) for error in caught.value.exceptions] == ["the first", "the first"]
    assert calls == [1, 2]


def test_a_single_hook_is_itself_and_what_cannot_be_called_is_an_error() -> None:
    assert combine(print) is print
    combine()(FakeDecision(), 0.5)
    with pytest.raises(TypeError, match="on_verdict must be callable, not str"):
        combine(print, "metrics")


def test_a_gate_reports_every_verdict_once_and_what_a_guard_rejects(verifier: Any, good: str) -> None:
    calls: list[tuple[str, bool]] = []
    gate = make_gate(verifier, lambda decision, seconds: calls.append((decision.code, seconds > 0)))
    request = {"method": "GET", "target": "/orders/1", "headers": {"authorization": f"Bearer {good}"}}
    allowed = send(gate, good)
    asyncio.run(gate.check_async(**request))
    gate.guard(scopes=["orders:write"]).check(**request)
    assert calls == [("allowed", True), ("allowed", True), ("insufficient_scope", True)]
    calls.clear()
    assert gate.guard(scopes=["orders:read"]).authorize(allowed).allowed
    assert calls == []  # it was reported as allowed when it was checked
    rejected = gate.guard(scopes=["orders:write"]).authorize(allowed)
    assert calls == [("insufficient_scope", True)]
    gate.guard(scopes=["orders:admin"]).authorize(rejected)
    gate.failed(RuntimeError("in the application's glue"))
    assert calls[1:] == [("internal_error", False)]


def test_what_a_hook_raises_is_logged_and_changes_no_decision(
    verifier: Any, good: str, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("a fault of the hook")

    seen = []
    gate = make_gate(verifier, combine(failing, lambda decision, _: seen.append(decision.code)))
    assert send(gate, good).allowed
    assert send(gate).code == "missing_token"
    assert seen == ["allowed", "missing_token"]
    assert [str(record.exc_info[1]) for record in caplog.records] == ["a fault of the hook"] * 2
