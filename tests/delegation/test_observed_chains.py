"""Recorded results of other packages, compared with ours; each difference has its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import chains
import pytest
from chains import record, recorded

import watchword as ww

#: case -> the claims that the row was made with. The rows name their cases, and give no claims.
EXTRACTED: dict[str, chains.Claims | str] = {
    "A<-user": {"sub": "user:bob", "act": chains.act("client:A", "user:bob")},
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": {
        "sub": "user:bob",
        "act": chains.act("client:A"),
    },
    "sub=user + human_root:true claim, act=client:A": {
        "sub": "user:bob",
        "human_root": True,
        "act": chains.act("client:A"),
    },
    "act={} (empty dict)": {"act": {}},
    "act=[..] list": {"act": [{"sub": "client:A"}]},
    "act without sub": {"act": {"iss": "https://as.example"}},
    "act.sub='USER:bob'": {"act": chains.act("USER:bob")},
    "act carries iss/extra members": {"act": {"sub": "client:A", "iss": "https://other.example", "x": 1}},
    "inner act string stops the walk": {"act": chains.act("client:A", innermost="client:B")},
    "inner act {} stops the walk": {"act": chains.act("client:A", innermost={})},
    "5000 nested acts (no recursion limit)": '{"act":' + '{"sub":"A","act":' * 4999 + '{"sub":"A"}' + "}" * 5000,
}

_MALFORMED = (
    "RFC 8693 section 4.1: act is an object that identifies an actor, at every level; "
    "there it is read as no actor, or as one without a name"
)
_ROOT = (
    "RFC 8693 section 1.1: the subject is who is acted for; there the innermost actor is looked at instead, "
    "and the claim human_root is not"
)

EXTRACTED_OTHERWISE: dict[str, tuple[Any, str]] = {
    "sub=user, act=client:A (what the server mints for a user-rooted exchange)": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _ROOT,
    ),
    "sub=user + human_root:true claim, act=client:A": (
        {"depth": 1, "actors": [{"sub": "client:A"}], "human_root": True},
        _ROOT,
    ),
    "act={} (empty dict)": ("delegation_malformed", _MALFORMED),
    "act=[..] list": ("delegation_malformed", _MALFORMED),
    "act without sub": ("delegation_malformed", _MALFORMED),
    "inner act string stops the walk": ("delegation_malformed", _MALFORMED),
    "inner act {} stops the walk": ("delegation_malformed", _MALFORMED),
    "5000 nested acts (no recursion limit)": ("delegation_too_deep", "depth is bounded when a chain is read"),
}

#: Case -> claims, and requirements. The default there (five actors at most) is explicit here.
CHECKED: dict[str, tuple[chains.Claims, dict[str, Any]]] = {
    "depth1 default": ({"act": chains.act("client:A")}, {"max_depth": 5}),
    "depth5 default(max 5)": ({"act": chains.act(*[f"c{index}" for index in range(5)])}, {"max_depth": 5}),
    "empty max_depth=0": ({}, {"max_depth": 0}),
    "empty max_depth=-1": ({}, {"max_depth": -1}),
    "empty require_human_root": ({}, {"require_human_root": True}),
    "client only, require_human_root": ({"act": chains.act("client:A")}, {"require_human_root": True}),
    "client<-user innermost, require_human_root": (
        {"act": chains.act("client:A", "user:b")},
        {"require_human_root": True},
    ),
    "only user": ({"act": chains.act("user:b")}, {"require_human_root": True}),
    "allowed missing one": ({"act": chains.act("client:A", "client:B")}, {"allowed_actors": ["client:A"]}),
    "allowed_actors=[] ": ({"act": chains.act("client:EVIL")}, {"allowed_actors": []}),
    "empty chain, allowed set": ({}, {"allowed_actors": ["client:A"]}),
    "allowed as str (substring!)": ({"act": chains.act("client:A")}, {"allowed_actors": "client:ABC"}),
}

_GRANTS_NOTHING = (
    "RFC 8693 section 4.1: who acted earlier grants nothing; the subject says whether a human being is behind it"
)

CHECKED_OTHERWISE: dict[str, tuple[str, str]] = {
    "empty max_depth=-1": (
        "ValueError",
        "rejected in both; a depth below 0 is a caller's mistake, not a fault of the chain",
    ),
    "empty require_human_root": ("delegation_no_human_root", "a machine's own token has no human being behind it"),
    "client<-user innermost, require_human_root": ("delegation_no_human_root", _GRANTS_NOTHING),
    "only user": ("delegation_no_human_root", _GRANTS_NOTHING),
    "allowed_actors=[] ": ("delegation_actor_not_allowed", "an empty list allows nobody; there it allows everybody"),
    "allowed as str (substring!)": (
        "TypeError",
        "a single name is a mistake; there it is searched for a part that fits",
    ),
    "hand-built chain: depth=0 but 9 actors": ("TypeError", "a chain cannot be made by hand, nor disagree with itself"),
}

#: Their code -> ours.
CODES = {
    "delegation_depth_exceeded": "delegation_too_deep",
    "no_human_root": "delegation_no_human_root",
    "unauthorized_actor": "delegation_actor_not_allowed",
}


def rows(shared: Path, function: str) -> list[dict[str, Any]]:
    found = json.loads((shared / "truth" / "authgent.json").read_text())["rows"]
    return [row for row in found if row["fn"] == function]


def outcome(call: Any) -> Any:
    try:
        return call()
    except ww.DelegationError as error:
        return error.code.value
    except (TypeError, ValueError) as error:
        return type(error).__name__


def test_chains_that_were_read(shared: Path) -> None:
    observed = rows(shared, "_extract_chain")
    assert len(observed) == len(EXTRACTED) == 11
    for row in observed:

        def read(claims: chains.Claims | str = EXTRACTED[row["case"]]) -> dict[str, Any]:
            chain = ww.DelegationChain.from_act(claims)
            actors = [{"sub": actor.subject} for actor in chain.actors]
            return {"depth": chain.depth, "actors": actors, "human_root": chain.human_root}

        ours = outcome(read)
        if row["case"] in EXTRACTED_OTHERWISE:
            assert ours == EXTRACTED_OTHERWISE[row["case"]][0], row["case"]
            assert ours != row["value"], f"no difference any more: {row['case']}"
        else:
            assert ours == row["value"], row["case"]


def test_recorded_chains(shared: Path) -> None:
    observed = rows(shared, "verify_delegation_chain")
    assert len(observed) == len(CHECKED) + 1 == 13
    for row in observed:
        theirs = CODES[row["error_code"]] if row["outcome"] == "raises" else "ok"
        if row["case"] in CHECKED:
            claims, requirements = CHECKED[row["case"]]
            chain = ww.DelegationChain.from_act(claims)
            if theirs == "ok":
                assert [{"sub": actor.subject} for actor in chain.actors] == row["value"]["actors"], row["case"]
            ours = outcome(lambda chain=chain, requirements=requirements: chain.check(**requirements) or "ok")
        else:
            ours = outcome(lambda: ww.DelegationChain(depth=0, actors=["x"] * 9))  # type: ignore[call-arg]
        if row["case"] in CHECKED_OTHERWISE:
            assert ours == CHECKED_OTHERWISE[row["case"]][0], row["case"]
            assert ours != theirs, f"no difference any more: {row['case']}"
        else:
            assert ours == theirs, row["case"]


_LITERAL_STAR = (
    "a scope with * for its action or its resource covers nothing, and nothing covers it; there it is a literal"
)
_EMPTY = "an empty scope is malformed in a record"

#: The required scope, and the granted ones -> why the result differs from the broker's.
WIDENED_OTHERWISE: dict[tuple[str, str], str] = {
    ("*:data:customers", "*:data:customers"): _LITERAL_STAR,
    ("read:*:customers", "read:*:customers"): _LITERAL_STAR,
    ("read:*:x", "read:*:*"): _LITERAL_STAR,
}


def test_scopes_that_were_compared(shared: Path) -> None:
    observed = json.loads((shared / "truth" / "agentwrit.json").read_text())["rows"]
    compared = [row for row in observed if row["go_broker"] is not None]
    assert len(compared) >= 30
    for row in compared:
        asked, held = row["requested"], row["allowed"]
        if "" in asked + held:
            # Empty text is no scope at all: rejected with the record, or with the holder's scopes.
            assert not row["go_broker"], _EMPTY
        claims = recorded(record("agent:root", held), scope=asked)

        def is_accepted(claims: chains.Claims = claims) -> bool:
            ww.DelegationChain.from_records(claims).check()
            return True

        narrower = outcome(is_accepted) is True
        if (asked[0], (held or [""])[0]) in WIDENED_OTHERWISE:
            assert row["go_broker"]
            assert not narrower, row
        else:
            assert narrower is row["go_broker"], row


def test_the_differences_are_of_rows_that_exist(shared: Path) -> None:
    extracted = {row["case"] for row in rows(shared, "_extract_chain")}
    recorded = {row["case"] for row in rows(shared, "verify_delegation_chain")}
    assert set(EXTRACTED_OTHERWISE) <= extracted
    assert set(CHECKED_OTHERWISE) <= recorded
    assert all(reason for _, reason in [*EXTRACTED_OTHERWISE.values(), *CHECKED_OTHERWISE.values()])


@pytest.mark.parametrize("innermost", ["client:B", {}])
def test_a_chain_that_would_be_cut_short_is_rejected_with_its_token(innermost: object) -> None:
    with pytest.raises(ww.MalformedClaimsError):
        chains.verified(act=chains.act("client:A", innermost=innermost))
