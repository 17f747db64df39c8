"""Compared with the published package: the same results, except for differences with a name and an example each."""

from __future__ import annotations

import dataclasses
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

#: What belongs to the client that talks to the broker, and is not here yet.
CLIENT_SIDE = {"Agent", "AgentWritApp", "DelegatedToken", "HealthStatus", "RegisterResult", "__version__"}


def test_every_name_of_the_verifying_side_is_here() -> None:
    assert set(published.__all__) - CLIENT_SIDE <= set(agentwrit.__all__)


@pytest.mark.parametrize("name", ["AgentClaims", "DelegationRecord", "ProblemDetail", "ValidateResult"])
def test_models_begin_with_the_same_fields(name: str) -> None:
    theirs = [field.name for field in dataclasses.fields(getattr(published, name))]
    ours = [field.name for field in dataclasses.fields(getattr(agentwrit, name))]
    assert ours[: len(theirs)] == theirs
    # What is more has a default, so that the package's own calls still make one.
    more = dataclasses.fields(getattr(agentwrit, name))[len(theirs) :]
    assert all(field.default is not dataclasses.MISSING for field in more)


@pytest.mark.parametrize("name", [name for name in published.__all__ if name.endswith("Error")])
def test_errors_are_made_the_same_way(name: str) -> None:
    ours, theirs = getattr(agentwrit, name), getattr(published, name)
    assert [base.__name__ for base in theirs.__mro__] == [base.__name__ for base in ours.__mro__]
    assert [*inspect.signature(theirs.__init__).parameters] == [*inspect.signature(ours.__init__).parameters]


@pytest.mark.parametrize("name", ["scope_is_subset", "validate"])
def test_functions_begin_with_the_same_parameters(name: str) -> None:
    theirs = list(inspect.signature(getattr(published, name)).parameters)
    assert list(inspect.signature(getattr(agentwrit, name)).parameters)[: len(theirs)] == theirs


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
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)


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
