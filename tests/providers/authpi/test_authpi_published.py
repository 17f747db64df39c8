"""Compared with the published package: the same results, except for differences with a name and an example each."""

from __future__ import annotations

import base64
import inspect
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("authpi_idp", reason="authpi-idp, which this is compared with, is not installed")

import authpi_idp as published
from authpi_tokens import CLIENT, ISSUER, ISSUING, ORGANIZATIONS_BY_ID, OTHER, tokens, verifier
from hypothesis import example, given
from hypothesis import strategies as st

from watchword.providers import authpi

# Scopes.

pieces = st.sampled_from(
    ["users", "a", "b", "a.b", "*", "**", ".", ":", "read", "re*", "owner", " ", "\t", "\x00", "\ufffd", "é"]
)
texts = st.lists(pieces, max_size=4).map("".join)
scopes = st.lists(texts | st.builds("{}:{}".format, texts, texts), max_size=4)


def is_text_of_another_kind(text: str) -> bool:
    """White space, a control character, or a replacement character: not a scope here."""
    return any(ch.isspace() or ord(ch) < 32 or 127 <= ord(ch) < 160 or ch == "\ufffd" for ch in text)


@given(scopes, texts, texts)
@example(["users:**"], "read", "users.")
def test_has_access_is_the_same(held: list[str], action: str, resource: str) -> None:
    theirs = published.has_access(held, action, resource)
    clean = [scope for scope in held if not is_text_of_another_kind(scope)]
    # The one difference that an answer can show.
    assert authpi.has_access(held, action, resource) is published.has_access(clean, action, resource)
    if clean == held:
        assert authpi.has_access(held, action, resource) is theirs


@given(texts | st.builds("{}:{}".format, texts, texts) | st.none())
def test_parse_scope_is_the_same(scope: str | None) -> None:
    theirs = published.parse_scope(scope)
    ours = authpi.parse_scope(scope)
    if scope is not None and is_text_of_another_kind(scope):
        assert ours is None
    else:
        assert (None if ours is None else ours.model_dump()) == (None if theirs is None else theirs.model_dump())


# The agent.


def agent(module: Any, orgs: list[tuple[str, list[str]]], scope: str | None, expires_at: int) -> Any:
    return module.AuthenticatedAgent(
        id="agt_1",
        type=module.PrincipalType.AGENT,
        tokens=module.TokenSet(access_token="opaque", expires_at=expires_at, scope=scope),
        organizations=[module.Organization(id=name, scopes=held) for name, held in orgs],
    )


clean_scopes = scopes.map(lambda held: [scope for scope in held if not is_text_of_another_kind(scope)])
orgs = st.lists(st.tuples(st.sampled_from(["org_a", "org_b"]), clean_scopes), max_size=3)


@given(orgs, st.none() | clean_scopes.map(" ".join), texts, texts, st.integers(-200, 200))
def test_the_agent_answers_the_same(
    memberships: Any, scope: str | None, action: str, resource: str, buffer: int
) -> None:
    soon = int(time.time()) + 100
    ours, theirs = (agent(module, memberships, scope, soon) for module in (authpi, published))
    assert ours.model_dump(mode="json") == theirs.model_dump(mode="json")
    assert ours.has_access(action, resource) == theirs.has_access(action, resource)
    assert ours.is_expired(buffer_seconds=buffer) == theirs.is_expired(buffer_seconds=buffer)
    for name in ("org_a", "org_b", "org_c"):
        assert ours.has_access_in(name, action, resource) == theirs.has_access_in(name, action, resource)
        assert ours.get_scopes_for(name) == theirs.get_scopes_for(name)
        for role in ("is_owner_of", "is_admin_of", "is_member_of"):
            assert getattr(ours, role)(name) == getattr(theirs, role)(name)


def published_agent(token_set: Any) -> Any:
    """As the package makes one, without a request."""
    with published.IdpClientSync(ISSUER, CLIENT) as client:
        return client.create_agent(token_set.model_dump(), auto_refresh=False)


def test_agents_of_id_tokens_are_the_same() -> None:
    for claims in ({}, {"org_id": "org_a"}, {"email": 5, "email_verified": "yes"}, {"organizations": []}):
        given_tokens = tokens(ISSUING.mint(claims))
        theirs = published_agent(given_tokens).model_dump(mode="json")
        assert verifier().create_agent(given_tokens).model_dump(mode="json") == theirs
        assert verifier().create_agent_from_trusted_channel(given_tokens).model_dump(mode="json") == theirs


# Names.


def test_every_name_is_here() -> None:
    # The version is that of Watchword.
    assert set(published.__all__) - {"__version__"} <= set(authpi.__all__)
    assert set(authpi.__all__) - set(published.__all__) == {"IdTokenVerifier", "FOREIGN_CLAIMS"}


@pytest.mark.parametrize("kind", ["IdpClient", "IdpClientSync"])
def test_the_clients_have_the_same_calls(kind: str) -> None:
    """The same names, the same parameters in the same order, and ours after them, by name only."""
    ours, theirs = getattr(authpi, kind), getattr(published, kind)
    for name in ["__init__", *(name for name in vars(theirs) if not name.startswith("_")), "create_authorization_url"]:
        wanted = inspect.signature(getattr(theirs, name)).parameters
        found = inspect.signature(getattr(ours, name)).parameters
        assert [one for one in found if found[one].kind is found[one].POSITIONAL_OR_KEYWORD] == [
            one for one in wanted if wanted[one].kind is wanted[one].POSITIONAL_OR_KEYWORD
        ]
        assert {one: (found[one].kind, found[one].default) for one in wanted} == {
            one: (parameter.kind, parameter.default) for one, parameter in wanted.items()
        }
        assert all(
            found[one].kind in (found[one].KEYWORD_ONLY, found[one].VAR_KEYWORD) for one in set(found) - set(wanted)
        )
        assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(getattr(theirs, name))


@pytest.mark.parametrize(
    "name",
    ["TokenSet", "Organization", "UserInfo", "ParsedScope", "AuthenticatedAgent", "AuthorizationUrl", "LogoutOptions"],
)
def test_models_have_the_same_fields(name: str) -> None:
    ours, theirs = getattr(authpi, name).model_fields, getattr(published, name).model_fields
    assert list(ours) == list(theirs)
    for field, info in theirs.items():
        assert ours[field].is_required() == info.is_required()
        if not info.is_required():
            assert ours[field].get_default(call_default_factory=True) == info.get_default(call_default_factory=True)


@pytest.mark.parametrize("name", [name for name in published.__all__ if name.endswith("Error")])
def test_errors_are_made_the_same_way(name: str) -> None:
    ours, theirs = getattr(authpi, name), getattr(published, name)
    assert [base.__name__ for base in theirs.__bases__ if base is not Exception] == [
        base.__name__ for base in ours.__bases__ if base not in (Exception, ValueError)
    ]
    parameters = inspect.signature(theirs.__init__).parameters
    assert list(inspect.signature(ours.__init__).parameters) in (list(parameters), ["self", "args", "kwargs"])
    arguments = {parameter: f"the {parameter}" for parameter in parameters if parameter != "self"}
    if name != "ConfigurationError":
        assert vars(ours(**arguments)).keys() == vars(theirs(**arguments)).keys()
        assert ours(**arguments).error == theirs(**arguments).error


@pytest.mark.parametrize("name", ["has_access", "parse_scope"])
def test_functions_have_the_same_parameters(name: str) -> None:
    names = [list(inspect.signature(getattr(module, name)).parameters) for module in (authpi, published)]
    assert names[0] == names[1]


# Every difference, with an example: the result of the package, and ours.


def unsigned(**claims: Any) -> Any:
    parts = ({"alg": "none"}, {"sub": "usr_1", **claims})
    head, payload = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return tokens(f"{head}.{payload}.junk")


def rejected(call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "accepted"


def without_organization() -> authpi.TokenSet:
    return tokens(ISSUING.mint(organizations=[]), scope="users:read")


DIFFERENCES: dict[str, tuple[Callable[[], Any], Any, Callable[[], Any], Any]] = {
    "an ID token is verified": (
        lambda: published_agent(unsigned(organizations=[{"id": "org_a", "scopes": ["*:**"]}])).has_access("x", "y"),
        True,
        lambda: rejected(lambda: verifier().create_agent(unsigned())),
        "TokenParseError",
    ),
    "a forged signature": (
        lambda: published_agent(tokens(OTHER.mint())).id,
        "usr_1",
        lambda: rejected(lambda: verifier().create_agent(tokens(OTHER.mint()))),
        "TokenParseError",
    ),
    "issuer, audience and expiry are checked even where the channel is trusted": (
        lambda: published_agent(unsigned(iss="https://evil.example", aud="cli_2", exp=1)).id,
        "usr_1",
        lambda: rejected(
            lambda: verifier().create_agent_from_trusted_channel(
                unsigned(iss="https://evil.example", aud="cli_2", exp=1)
            )
        ),
        "TokenExpiredError",
    ),
    "a token set without an ID token": (
        lambda: published_agent(tokens(None, scope="*:**")).has_access("x", "y"),
        True,
        lambda: rejected(lambda: verifier().create_agent(tokens(None, scope="*:**"))),
        "TokenParseError",
    ),
    "a user without an organization": (
        lambda: published_agent(without_organization()).has_access("read", "users"),
        True,
        lambda: verifier().create_agent(without_organization()).has_access("read", "users"),
        False,
    ),
    "a subject of another form": (
        lambda: published_agent(tokens(ISSUING.mint(sub="agent_abc123"))).type.value,
        "user",
        lambda: rejected(lambda: verifier().create_agent(tokens(ISSUING.mint(sub="agent_abc123")))),
        "TokenParseError",
    ),
    "organizations as an object": (
        lambda: published_agent(tokens(ISSUING.mint(organizations=ORGANIZATIONS_BY_ID))).organizations,
        [],
        lambda: len(verifier().create_agent(tokens(ISSUING.mint(organizations=ORGANIZATIONS_BY_ID))).organizations),
        2,
    ),
    "a membership with a scope of the wrong type": (
        lambda: rejected(lambda: published_agent(tokens(ISSUING.mint(organizations=[{"id": "a", "scopes": [5]}])))),
        "ValidationError",
        lambda: rejected(
            lambda: verifier().create_agent(tokens(ISSUING.mint(organizations=[{"id": "a", "scopes": [5]}])))
        ),
        "TokenParseError",
    ),
    "a token set of the wrong form": (
        lambda: rejected(lambda: published.IdpClientSync(ISSUER, CLIENT).create_agent({})),
        "ValidationError",
        lambda: rejected(lambda: verifier().create_agent({})),
        "TokenParseError",
    ),
    "a scope with white space": (
        lambda: published.has_access(["users:read all"], "read all", "users"),
        True,
        lambda: authpi.has_access(["users:read all"], "read all", "users"),
        False,
    ),
    "one text in place of a list": (
        lambda: published.has_access("users:read", "read", "users"),
        False,
        lambda: rejected(lambda: authpi.has_access("users:read", "read", "users")),
        "TypeError",
    ),
    "a scope that is no text": (
        lambda: rejected(lambda: published.has_access([5], "read", "users")),
        "AttributeError",
        lambda: rejected(lambda: authpi.has_access([5], "read", "users")),
        "TypeError",
    ),
    "http": (
        lambda: rejected(lambda: published.IdpClientSync("http://idp.example", CLIENT)),
        "accepted",
        lambda: rejected(lambda: authpi.IdTokenVerifier("http://idp.example", CLIENT)),
        "ConfigurationError",
    ),
    "tokens in a repr": (
        lambda: "opaque-token" in repr(published.TokenSet(access_token="opaque-token", expires_at=1)),
        True,
        lambda: "opaque-token" in repr(authpi.TokenSet(access_token="opaque-token", expires_at=1)),
        False,
    ),
    "subjects in an error": (
        lambda: "usr_1" in str(published.SubjectMismatchError("usr_1", "usr_2")),
        True,
        lambda: "usr_1" in str(authpi.SubjectMismatchError("usr_1", "usr_2")),
        False,
    ),
    "the scopes that are given out": (
        lambda: (
            (given_out := agent(published, [("a", [])], None, 1)).get_scopes_for("a").append("owner")
            or given_out.is_owner_of("a")
        ),
        True,
        lambda: (
            (given_out := agent(authpi, [("a", [])], None, 1)).get_scopes_for("a").append("owner")
            or given_out.is_owner_of("a")
        ),
        False,
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_difference_is_alive(name: str) -> None:
    theirs, their_answer, ours, our_answer = DIFFERENCES[name]
    assert theirs() == their_answer
    assert ours() == our_answer
