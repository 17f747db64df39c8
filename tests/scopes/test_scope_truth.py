"""The results of the published packages, row by row; each difference here is listed with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword.scopes import ResourceScopes, ScopeSyntaxError, SlotScopes


def rows(shared: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads((shared / "truth" / name).read_bytes())["rows"])


# ------------------------------------------------------------------------------------------------------------- resource


#: By the scopes of the row.
RESOURCE_DIFFERENCES = {
    (None, "users:read"): (
        TypeError,
        "null among the scopes is skipped there. Here the claim was checked: an array with null is malformed_claims.",
    ),
}

#: Functions of the client that have nothing to do with what a scope allows.
NOT_ABOUT_SCOPES = {"agent.is_member_of", "agent.get_scopes_for", "agent.is_expired", "_get_agent_type"}


def test_parse_scope(shared: Path) -> None:
    """There is no parser to call here; what it would say shows in what the scope allows."""
    replayed = 0
    for row in rows(shared, "authpi.json"):
        if row["fn"] != "parse_scope":
            continue
        replayed += 1
        scope = row["scope"]
        if not isinstance(scope, str):
            # They fail with an AttributeError; a mistake in the call is a TypeError here.
            with pytest.raises(TypeError):
                ResourceScopes([scope])
        elif row["result"] is not None:
            resource, action = row["result"]["resource"], row["result"]["action"]
            assert ResourceScopes([scope]).allows(action=action, resource=resource), row
        else:
            # No scope for them. Without a colon it is a word here, with one it is an error; neither grants anything.
            held = ResourceScopes.from_claim([scope])
            is_word = scope != "" and ":" not in scope
            assert (list(held), held.ignored) == (([scope], ()) if is_word else ([], (scope,))), row
            for action, resource in (("read", "users"), (scope, scope), ("", ""), ("", scope)):
                assert not held.allows(action=action, resource=resource), row
            if not is_word:
                with pytest.raises(ScopeSyntaxError):
                    ResourceScopes([scope])
    assert replayed == 20


def test_has_access(shared: Path) -> None:
    replayed, differing = 0, set()
    for row in rows(shared, "authpi.json"):
        if row["fn"] != "has_access":
            continue
        replayed += 1
        key = tuple(row["scopes"])
        if key in RESOURCE_DIFFERENCES:
            differing.add(key)
            with pytest.raises(RESOURCE_DIFFERENCES[key][0]):
                ResourceScopes.from_claim(row["scopes"])
            continue
        held = ResourceScopes.from_claim(row["scopes"])
        assert held.allows(action=row["action"], resource=row["resource"]) == row["result"], row
        assert held.explain(action=row["action"], resource=row["resource"]).allowed == row["result"], row
    assert replayed == 50
    assert differing == set(RESOURCE_DIFFERENCES)


def _in_organisation(args: dict[str, Any]) -> ResourceScopes:
    """As the client does it: the scopes of the first organisation with the id."""
    return ResourceScopes.from_claim(next((scopes for name, scopes in args["orgs"] if name == args["org_id"]), None))


def _has_access(args: dict[str, Any]) -> bool:
    held = [ResourceScopes.from_claim(scopes) for _, scopes in args["orgs"]]
    # The row has a backslash and a "t" in place of a tab; only the space separates in either reading.
    sets = held or [ResourceScopes.from_claim(args.get("token_scope"))]
    return any(scopes.allows(action=args["action"], resource=args["resource"]) for scopes in sets)


AGENT: dict[str, Callable[[dict[str, Any]], bool]] = {
    "agent.has_access_in": lambda args: _in_organisation(args).allows(action=args["action"], resource=args["resource"]),
    "agent.has_access": _has_access,
    "agent.is_owner_of": lambda args: "owner" in _in_organisation(args),
}


def test_agents(shared: Path) -> None:
    replayed = 0
    for row in rows(shared, "authpi.json"):
        if row["fn"] in AGENT:
            replayed += 1
            assert AGENT[row["fn"]](row["args"]) == row["result"], row
        else:
            assert row["fn"] in NOT_ABOUT_SCOPES | {"parse_scope", "has_access"}
    assert replayed == 17


# ----------------------------------------------------------------------------------------------------------------- slot

STAR = '"*" in action or resource is an error, not a letter: whoever writes it means a wildcard and would get less.'
MALFORMED = "three parts, none of them empty, are needed, in a scope as in a requirement. The broker has the same rule."
COLONS = "the identifier may hold further colons. The broker says the same."

#: By (requested, allowed): why the answer here is not that of the Python package. Only with a star is it not
#: that of the broker either.
SLOT_DIFFERENCES = {
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


def test_scope_is_subset(shared: Path) -> None:
    replayed, differing = 0, set()
    for row in rows(shared, "agentwrit.json"):
        if not isinstance(row["requested"], list):
            continue
        replayed += 1
        requested, allowed = row["requested"], row["allowed"]
        covered = SlotScopes.from_claim(allowed).covers(SlotScopes.from_claim(requested))
        key = (requested[0], allowed[0]) if len(requested) == len(allowed) == 1 else None
        reason = SLOT_DIFFERENCES.get(key) if key else None
        if reason is None:
            assert covered == row["python_sdk"] == row["go_broker"], row
            continue
        differing.add(key)
        assert covered != row["python_sdk"], row
        assert (covered == row["go_broker"]) == (reason is not STAR), row
        if reason is not COLONS:
            with pytest.raises(ScopeSyntaxError):
                SlotScopes(requested)
    assert replayed == 32
    assert differing == set(SLOT_DIFFERENCES)


def test_scope_is_subset_with_other_arguments(shared: Path) -> None:
    """Two rows are about Python's types: a tuple is as good as a list; one str is one scope here, and letters there."""
    others = {row["note"]: row for row in rows(shared, "agentwrit.json") if not isinstance(row["requested"], list)}
    assert set(others) == {"python only: str allowed", "python only: tuples"}
    assert others["python only: tuples"]["python_sdk"] is True
    assert SlotScopes(("read:data:*",)).covers(SlotScopes(("read:data:x",)))
    assert others["python only: str allowed"]["python_sdk"] is False
    assert SlotScopes("read:data:x").covers(SlotScopes(["read:data:x"]))
