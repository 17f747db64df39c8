"""Compared with the published package: the same results, except for differences with a name and an example each."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("agentwrit", reason="agentwrit, which this is compared with, is not installed")

import agentwrit as published
from agentwrit_tokens import APP, NO_TASK, broker, claims, token
from hypothesis import example, given
from hypothesis import strategies as st

from watchword.providers import agentwrit

parts = st.sampled_from(["read", "write", "data", "a", "b", "a:b", "*", "**", "", "a*", " ", "é", "\ufffd", "\x7f"])
whole = st.builds("{}:{}:{}".format, parts, parts, parts) | st.lists(parts, max_size=3).map(":".join)
lists = st.lists(whole, max_size=3)

STAR = "a star in the action or the resource"
MALFORMED = "not three parts that are not empty"
COLON = "a colon in the identifier"
TEXT = "white space, a control character, or what stands where text was lost"


def difference(scope: str) -> str | None:
    """How a scope differs here from the package's reading of it."""
    action, _, rest = scope.partition(":")
    resource, _, identifier = rest.partition(":")
    if any(ch.isspace() or ord(ch) < 32 or 127 <= ord(ch) < 160 or ch == "\ufffd" for ch in scope):
        return TEXT
    if not (action and resource and identifier):
        return MALFORMED
    if "*" in action or "*" in resource:
        return STAR
    return COLON if ":" in identifier else None


@given(lists, lists)
@example(["read:data:**"], ["read:data:*"])
def test_scope_is_subset_is_the_same(requested: list[str], allowed: list[str]) -> None:
    ours = agentwrit.scope_is_subset(requested, allowed)
    if not any(difference(scope) for scope in requested + allowed):
        assert ours is published.scope_is_subset(requested, allowed)
    elif ours and not any(difference(scope) == COLON for scope in requested + allowed):
        # But for colons, what is allowed here is allowed there.
        assert published.scope_is_subset(requested, allowed)


# Names.

MODELS = [name for name in published.__all__ if dataclasses.is_dataclass(getattr(published, name))]


def test_every_name_is_here() -> None:
    # The version is that of the package itself.
    assert set(published.__all__) - {"__version__"} <= set(agentwrit.__all__)


@pytest.mark.parametrize("module", ["agent", "app", "crypto", "errors", "models", "scope"])
def test_every_module_is_here(module: str) -> None:
    theirs, ours = (importlib.import_module(f"{name}.{module}") for name in ("agentwrit", agentwrit.__name__))
    public = {name for name, value in vars(theirs).items() if getattr(value, "__module__", "") == theirs.__name__}
    assert {name for name in public if not name.startswith("_")} <= set(ours.__all__)


@pytest.mark.parametrize("name", MODELS)
def test_models_begin_with_the_same_fields(name: str) -> None:
    theirs = [field.name for field in dataclasses.fields(getattr(published, name))]
    ours = [field.name for field in dataclasses.fields(getattr(agentwrit, name))]
    assert ours[: len(theirs)] == theirs
    # What is more has a default, so that the package's own calls still make one.
    more = dataclasses.fields(getattr(agentwrit, name))[len(theirs) :]
    assert dataclasses.MISSING not in (
        field.default if field.default_factory is dataclasses.MISSING else field.default_factory for field in more
    )


@pytest.mark.parametrize("name", [name for name in published.__all__ if name.endswith("Error")])
def test_errors_are_made_the_same_way(name: str) -> None:
    ours, theirs = getattr(agentwrit, name), getattr(published, name)
    assert [base.__name__ for base in theirs.__mro__] == [base.__name__ for base in ours.__mro__]
    assert [*inspect.signature(theirs.__init__).parameters] == [*inspect.signature(ours.__init__).parameters]


def parameters(call: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(call).parameters.values()]


def members(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize("name", ["scope_is_subset", "validate"])
def test_functions_begin_with_the_same_parameters(name: str) -> None:
    theirs = [name for name, _, _ in parameters(getattr(published, name))]
    assert [name for name, _, _ in parameters(getattr(agentwrit, name))][: len(theirs)] == theirs


@pytest.mark.parametrize("prefix", ["", "Async"])
@pytest.mark.parametrize("name", ["Agent", "AgentWritApp"])
def test_methods_begin_with_the_same_parameters(name: str, prefix: str) -> None:
    theirs, ours = getattr(published, name), getattr(agentwrit, prefix + name)
    for method in ("__init__", *sorted(members(theirs))):
        given = getattr(theirs, method)
        if not callable(given):
            assert isinstance(getattr(ours, method), property)
            continue
        same = getattr(ours, {"close": "aclose"}.get(method, method) if prefix else method)
        assert parameters(same)[: len(parameters(given))] == parameters(given)
        assert inspect.iscoroutinefunction(same) is (bool(prefix) and method != "__init__")


# Every difference, with an example: the result of the package, and ours.


class Answer:
    """What a broker answers to ``POST /v1/token/validate``: only the package's own code sees it."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def raise_for_status(self) -> None:
        pass

    def json(self) -> dict[str, Any]:
        return self._members


def asked(monkeypatch: pytest.MonkeyPatch, members: dict[str, Any]) -> Any:
    monkeypatch.setattr("httpx.Client.post", lambda *_, **__: Answer(members))
    return published.validate("https://broker.example", "a.b.c")


def test_a_valid_token_is_read_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = asked(monkeypatch, {"valid": True, "claims": claims(aud=["a"])}).claims
    ours = broker(audience="a").validate(token(claims(aud=["a"]))).claims
    read = dataclasses.asdict(ours)
    assert read.pop("extra") == {}
    assert read == dataclasses.asdict(theirs)


def test_a_token_of_an_application_is_no_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"valid": True, "claims": claims(**APP, **NO_TASK)}
    with pytest.raises(KeyError):
        asked(monkeypatch, answer)
    assert broker().validate(token(claims(**APP, **NO_TASK))).valid is False


def test_records_keep_their_signatures() -> None:
    assert "signature" not in {field.name for field in dataclasses.fields(published.DelegationRecord)}
    assert "signature" in {field.name for field in dataclasses.fields(agentwrit.DelegationRecord)}


def rejected(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__


SCOPES: dict[str, tuple[Any, Any, Any, Any]] = {
    STAR: (["*:data:x"], ["*:data:x"], True, False),
    MALFORMED: (["bad"], ["bad"], True, False),
    COLON: (["read:data:a:b"], ["read:data:*"], False, True),
    TEXT: (["read:data:a b"], ["read:data:*"], True, False),
    "one text in place of a list": (["read:data:x"], "read:data:x", False, "TypeError"),
    "a scope that is no text": ([5], ["read:data:x"], "AttributeError", "TypeError"),
}


@pytest.mark.parametrize("name", SCOPES)
def test_each_difference_of_scopes_is_alive(name: str) -> None:
    requested, allowed, theirs, ours = SCOPES[name]
    assert rejected(lambda: published.scope_is_subset(requested, allowed)) == theirs
    assert rejected(lambda: agentwrit.scope_is_subset(requested, allowed)) == ours
