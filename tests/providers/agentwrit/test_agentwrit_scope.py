"""``scope_is_subset``, as documented, and as in the published package and the broker."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from watchword.providers import agentwrit
from watchword.providers.agentwrit import scope_is_subset


def test_the_names_of_the_packages_modules() -> None:
    assert agentwrit.scope.scope_is_subset is scope_is_subset
    assert agentwrit.scope.validate is agentwrit.validate
    assert agentwrit.errors.AuthorizationError is agentwrit.AuthorizationError
    assert agentwrit.models.ProblemDetail is agentwrit.ProblemDetail


def test_as_documented() -> None:
    held = ["read:data:*"]
    assert scope_is_subset(["read:data:customer-7291"], held) is True
    assert scope_is_subset(["read:data:customer-7291"], ["read:data:customer-7291"]) is True
    assert scope_is_subset(["write:data:customer-7291"], held) is False
    assert scope_is_subset(["read:data:a", "write:data:a"], held) is False
    # One pair of names in the documentation, another in the package.
    assert scope_is_subset(required=["read:data:a"], held=held) is True
    assert scope_is_subset(requested=["read:data:a"], allowed=held) is True
    assert scope_is_subset(required=["write:data:a"], held=held) is False
    assert scope_is_subset(requested=["write:data:a"], allowed=held) is False


@pytest.mark.parametrize("scope", ["read:*:customers", "*:data:customers", "*:*:*"])
def test_a_wildcard_outside_of_the_identifier_is_rejected(scope: str) -> None:
    assert scope_is_subset(["read:data:customers"], [scope]) is False
    assert scope_is_subset([scope], [scope]) is False
    assert scope_is_subset([scope], ["read:data:*"]) is False


def test_nothing_is_always_covered_and_nothing_covers_nothing() -> None:
    assert scope_is_subset([], []) is True
    assert scope_is_subset([], ["read:data:*"]) is True
    assert scope_is_subset(None, None) is True
    assert scope_is_subset(["read:data:a"], []) is False
    assert scope_is_subset(["read:data:a"], None) is False
    assert scope_is_subset(iter(["read:data:a"]), iter(["read:data:*"])) is True


@pytest.mark.parametrize("wrong", ["read:data:x", b"read:data:x", 5, [5], [None], [["read:data:x"]], [{}]])
def test_what_is_no_list_of_texts_is_a_mistake(wrong: Any) -> None:
    for arguments in ((["read:data:x"], wrong), (wrong, ["read:data:x"])):
        with pytest.raises(TypeError):
            scope_is_subset(*arguments)


def test_both_names_of_one_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="the same"):
        scope_is_subset(["a"], ["a"], required=["a"])  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="the same"):
        scope_is_subset(["a"], ["a"], held=["a"])  # type: ignore[call-overload]


@pytest.mark.parametrize("text", ["\ud800", "a:b:\x00", ":" * 1000, "a" * 100_000])
def test_hostile_texts_are_covered_by_nothing(text: str) -> None:
    assert scope_is_subset([text], ["read:data:*", text]) is False


#: By (requested, allowed): why the answer is not the published package's. Only with a star is it not the broker's.
STAR = "a star outside of the identifier is rejected, as the documentation has it"
MALFORMED = "what is not three parts, none of them empty, is no scope: so says the broker"
COLONS = "an identifier may hold further colons: so says the broker"
TEXT = "one text is not a list of its letters: TypeError"
DIFFERENCES = {
    ("*:data:customers", "*:data:customers"): STAR,
    ("read:*:customers", "read:*:customers"): STAR,
    ("read:*:x", "read:*:*"): STAR,
    ("bad", "bad"): MALFORMED,
    ("read:data", "read:data"): MALFORMED,
    ("read:data:", "read:data:"): MALFORMED,
    ("read:data:", "read:data:*"): MALFORMED,
    ("::", "::*"): MALFORMED,
    ("", ""): MALFORMED,
    ("read:data:a:b", "read:data:*"): COLONS,
    ("read:data:a:", "read:data:*"): COLONS,
}


def test_row_by_row(shared: Path) -> None:
    seen = set()
    for row in json.loads((shared / "truth" / "agentwrit.json").read_bytes())["rows"]:
        # Two rows are about Python's types, and have its literals for arguments.
        requested, allowed = (
            value if isinstance(value, list) else ast.literal_eval(value)
            for value in (row["requested"], row["allowed"])
        )
        if isinstance(allowed, str):
            with pytest.raises(TypeError):
                scope_is_subset(requested, allowed)
            continue
        answer = scope_is_subset(requested, allowed)
        pair = (requested[0], allowed[0]) if len(requested) == len(allowed) == 1 else None
        reason = DIFFERENCES.get(pair) if pair else None
        if reason is None:
            assert answer is row["python_sdk"], row
            assert row["go_broker"] in (answer, None), row
            continue
        seen.add(pair)
        assert answer is not row["python_sdk"], row
        assert (answer is row["go_broker"]) == (reason is not STAR), row
    assert seen == set(DIFFERENCES)
