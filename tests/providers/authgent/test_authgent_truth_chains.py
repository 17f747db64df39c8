"""Recorded chains and claims of the published package, replayed with the same names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from authgent_rows import Row, compare, read
from authgent_tokens import ISSUER, act

import watchword.providers.authgent as authgent


@pytest.fixture(name="rows", scope="module")
def _rows(shared: Path) -> dict[str, dict[str, Row]]:
    return read(shared)


ACTS: dict[str, dict[str, Any]] = {
    "A<-user": {"act": act("client:A", "user:bob")},
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": {
        "sub": "user:bob",
        "act": act("client:A"),
    },
    "sub=user + human_root:true claim, act=client:A": {
        "sub": "user:bob",
        "human_root": True,
        "act": act("client:A"),
    },
    "act={} (empty dict)": {"act": {}},
    "act=[..] list": {"act": [{"sub": "client:A"}]},
    "act without sub": {"act": {"iss": ISSUER}},
    "act.sub='USER:bob'": {"act": act("USER:bob")},
    "act carries iss/extra members": {
        "iss": ISSUER,
        "act": {"sub": "client:A", "iss": "https://other.example", "x": 1},
    },
    "inner act string stops the walk": {"act": act("client:A", innermost="client:B")},
    "inner act {} stops the walk": {"act": act("client:A", innermost={})},
    "5000 nested acts (no recursion limit)": {"act": act(*["A"] * 300)},
}

_MALFORMED = ("DelegationError delegation_malformed", "RFC 8693 section 4.1: act is an object that identifies an actor")
_SUBJECT = "RFC 8693 section 1.1: the subject is the party acted for"

ACTS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _SUBJECT,
    ),
    "sub=user + human_root:true claim, act=client:A": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _SUBJECT,
    ),
    "act={} (empty dict)": _MALFORMED,
    "act=[..] list": _MALFORMED,
    "act without sub": _MALFORMED,
    "inner act string stops the walk": _MALFORMED,
    "inner act {} stops the walk": _MALFORMED,
    "act carries iss/extra members": (
        {"depth": 1, "actors": [{"sub": "client:A", "iss": "https://other.example"}], "human_root": False},
        "RFC 8693 section 4.1: iss and sub name an actor together",
    ),
    "5000 nested acts (no recursion limit)": (
        "DelegationError delegation_too_deep",
        "the depth is limited",
    ),
}


def summary(chain: authgent.DelegationChain) -> dict[str, Any]:
    return {"depth": chain.depth, "actors": chain.actors, "human_root": chain.human_root}


def test_recorded_chains(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda given=given: summary(authgent.AgentIdentity.from_claims(given).delegation_chain)
        for case, given in ACTS.items()
    }
    compare(rows["_extract_chain"], ours, ACTS_OTHERWISE, lambda row: row["value"])


def chain_of(*subjects: str, human_root: bool = False) -> authgent.DelegationChain:
    return authgent.DelegationChain([{"sub": subject} for subject in subjects], len(subjects), human_root)


#: Case -> the chain, and the requirements.
CHECKS: dict[str, tuple[Callable[[], authgent.DelegationChain], dict[str, Any]]] = {
    "depth1 default": (lambda: chain_of("client:A"), {}),
    "depth5 default(max 5)": (lambda: chain_of("c0", "c1", "c2", "c3", "c4"), {}),
    "empty max_depth=0": (chain_of, {"max_depth": 0}),
    "empty max_depth=-1": (chain_of, {"max_depth": -1}),
    "empty require_human_root": (chain_of, {"require_human_root": True}),
    "client only, require_human_root": (lambda: chain_of("client:A"), {"require_human_root": True}),
    "client<-user innermost, require_human_root": (
        lambda: chain_of("client:A", "user:b", human_root=True),
        {"require_human_root": True},
    ),
    "only user": (lambda: chain_of("user:b", human_root=True), {"require_human_root": True}),
    "allowed missing one": (lambda: chain_of("client:A", "client:B"), {"allowed_actors": ["client:A"]}),
    "allowed_actors=[] ": (lambda: chain_of("client:EVIL"), {"allowed_actors": []}),
    "empty chain, allowed set": (chain_of, {"allowed_actors": ["client:A"]}),
    "allowed as str (substring!)": (lambda: chain_of("client:A"), {"allowed_actors": "client:ABC"}),
    "hand-built chain: depth=0 but 9 actors": (lambda: authgent.DelegationChain([{"sub": "x"}] * 9, depth=0), {}),
}

CHECKS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "empty max_depth=-1": ("ValueError", "rejected in both; a depth below 0 is a caller's mistake"),
    "empty require_human_root": (
        "DelegationError delegation_no_human_root",
        "a machine's own token has no human root",
    ),
    "allowed_actors=[] ": ("DelegationError delegation_actor_not_allowed", "an empty list allows no actor"),
    "allowed as str (substring!)": ("TypeError", "a single name is a mistake; there it is searched for a substring"),
    "hand-built chain: depth=0 but 9 actors": ("ValueError", "a chain does not disagree with itself"),
}

#: The published error codes, which are ours too.
CHECK_CODES = {
    "allowed missing one": "unauthorized_actor",
    "client only, require_human_root": "no_human_root",
}


def test_recorded_checks_of_chains(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda made=made, requirements=requirements: summary(
            authgent.verify_delegation_chain(made(), **requirements)
        )
        for case, (made, requirements) in CHECKS.items()
    }
    compare(
        rows["verify_delegation_chain"],
        ours,
        CHECKS_OTHERWISE,
        lambda row: row["value"] if row["outcome"] == "ok" else row["error_code"],
    )
    for case, code in CHECK_CODES.items():
        assert rows["verify_delegation_chain"][case]["error_code"] == code
        made, requirements = CHECKS[case]
        with pytest.raises(authgent.DelegationError) as caught:
            authgent.verify_delegation_chain(made(), **requirements)
        assert caught.value.error_code == code


# Claims.

SCOPES = {
    "'a  b\\tc\\n'": {"scope": "a  b\tc\n"},
    "''": {"scope": ""},
    "missing": {},
    "dup 'a a'": {"scope": "a a"},
    "int 5": {"scope": 5},
    "[] empty list": {"scope": []},
}


def test_recorded_scopes(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        case: lambda given=given: authgent.AgentIdentity.from_claims(given).scopes for case, given in SCOPES.items()
    }
    different = {"'a  b\\tc\\n'": (["a", "b\tc\n"], "RFC 6749 section 3.3: scopes are separated by spaces only")}
    compare(rows["AgentIdentity.from_claims.scopes"], ours, different, lambda row: row.get("value"))


def test_recorded_audiences(rows: dict[str, dict[str, Row]]) -> None:
    ours = {
        "aud list": lambda: authgent.AgentIdentity.from_claims({"aud": ["a", "b"]}).audience,
        "aud missing": lambda: authgent.AgentIdentity.from_claims({}).audience,
    }
    compare(rows["AgentIdentity.from_claims.audience"], ours, {}, lambda row: row["value"])
