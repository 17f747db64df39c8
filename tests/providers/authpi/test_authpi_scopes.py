"""``has_access`` and ``parse_scope``, as documented by the package and with its results."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")

from watchword.providers import authpi
from watchword.providers.authpi import ParsedScope, has_access, parse_scope


def test_the_names_of_the_packages_modules() -> None:
    assert authpi.scopes.has_access is has_access
    assert authpi.scopes.parse_scope is parse_scope
    assert authpi.types.ParsedScope is ParsedScope
    assert authpi.agent.AuthenticatedAgent is authpi.AuthenticatedAgent
    assert authpi.errors.OAuthError is authpi.OAuthError


def test_has_access_as_documented() -> None:
    held = ["users:read", "projects:**"]
    assert has_access(held, "read", "users") is True
    assert has_access(held, "write", "projects.tasks") is True
    assert has_access(held, "delete", "users") is False
    assert has_access(scopes=held, action="read", resource="projects") is True


@pytest.mark.parametrize(
    ("scope", "granted", "denied"),
    [
        ("users:*", [("read", "users"), ("delete", "users")], [("read", "users.keys"), ("read", "projects")]),
        ("users:**", [("read", "users"), ("write", "users.keys.old")], [("read", "usersx"), ("read", "user")]),
        ("*:read", [("read", "users"), ("read", "billing")], [("read", "users.keys"), ("write", "users")]),
        ("*:**", [("read", "users"), ("delete", "a.b.c")], []),
        ("projects:*", [("read", "projects"), ("delete", "projects")], [("read", "projects.tasks")]),
        ("projects:**", [("read", "projects.tasks"), ("write", "projects.tasks.comments")], []),
    ],
)
def test_the_documented_wildcards(scope: str, granted: list[tuple[str, str]], denied: list[tuple[str, str]]) -> None:
    assert [pair for pair in granted if not has_access([scope], *pair)] == []
    assert [pair for pair in denied if has_access([scope], *pair)] == []


def test_parse_scope_as_documented() -> None:
    parsed = parse_scope("users.verifiers:write")
    assert parsed == ParsedScope(resource="users.verifiers", action="write")
    assert repr(parsed) == "ParsedScope(resource='users.verifiers', action='write')"
    assert parse_scope("projects:**") == ParsedScope(resource="projects", action="**")
    assert parse_scope("invalid") is None
    assert pickle.loads(pickle.dumps(parsed)) == parsed


@pytest.mark.parametrize("scopes", ["users:read", b"users:read", None, 5, [5], [["users:read"]], [{}]])
def test_scopes_that_are_no_list_of_texts_are_a_mistake(scopes: Any) -> None:
    with pytest.raises(TypeError):
        has_access(scopes, "read", "users")


@pytest.mark.parametrize(("action", "resource"), [(None, "users"), ("read", None), (5, "users"), (b"read", "users")])
def test_an_action_or_a_resource_that_is_no_text_is_a_mistake(action: Any, resource: Any) -> None:
    with pytest.raises(TypeError):
        has_access(["*:**"], action, resource)


@pytest.mark.parametrize("text", ["\ud800", "read\x00", "", "a" * 100_000, "." * 10_000])
def test_what_a_request_asks_for_may_be_any_text(text: str) -> None:
    assert has_access(["users:read"], text, text) is False
    assert has_access(["users:read"], "read", text) is False


def test_a_change_of_the_list_is_seen() -> None:
    held = ["users:read"]
    assert has_access(held, "write", "users") is False
    held.append("users:write")
    assert has_access(held, "write", "users") is True
    held.clear()
    assert has_access(held, "write", "users") is False


# What the published package was seen to answer, row by row.


def rows(shared: Path, function: str) -> list[dict[str, Any]]:
    document = json.loads((shared / "truth" / "authpi.json").read_bytes())
    found = [row for row in document["rows"] if row["fn"] == function]
    assert found
    return found


def test_parse_scope_row_by_row(shared: Path) -> None:
    for row in rows(shared, "parse_scope"):
        if "raises" in row:
            # An AttributeError there. Here a mistake in the call is a TypeError.
            with pytest.raises(TypeError):
                parse_scope(row["scope"])
            continue
        parsed = parse_scope(row["scope"])
        assert (None if parsed is None else parsed.model_dump()) == row["result"], row


def test_has_access_row_by_row(shared: Path) -> None:
    for row in rows(shared, "has_access"):
        assert has_access(row["scopes"], row["action"], row["resource"]) is row["result"], row
