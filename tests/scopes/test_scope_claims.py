"""Which claims contain a token's scopes: ``Policy(scope_claims=…)``."""

from __future__ import annotations

import re
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import assert_claims_verdict

import watchword as ww
from watchword import ErrorCode
from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))


def scopes(claims: dict[str, Any], **policy: Any) -> tuple[str, ...]:
    return verified(claims, **policy).scopes


def verified(claims: dict[str, Any], **policy: Any) -> ww.VerifiedToken:
    token = mint.token(mint.claims(**{"scope": mint.OMIT, **claims}))
    return ww.verify(token, KEYS, ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, **policy), now=mint.NOW)


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"scope": "read write"}, ("read", "write")),
        ({"scp": "read write"}, ("read", "write")),  # Entra
        ({"scp": ["read", "write"]}, ("read", "write")),  # Okta
        ({"scope": "a b", "scp": ["b", "c"]}, ("a", "b", "c")),
        ({"scope": "a a b"}, ("a", "a", "b")),
        ({"scope": "", "scp": "c"}, ("c",)),
        ({"permissions": ["admin"], "roles": "admin", "scopes": "admin", "Scp": "admin"}, ()),
        ({}, ()),
    ],
)
def test_scope_and_scp_by_default(claims: dict[str, Any], found: tuple[str, ...]) -> None:
    assert scopes(claims) == found


def test_claims_that_an_operator_names() -> None:
    claims = {"scope": "a b", "scp": "s", "permissions": ["read:orders", "b"], "roles": ["Admin"]}
    assert scopes(claims, scope_claims=["permissions"]) == ("read:orders", "b")
    assert scopes(claims, scope_claims=("roles", "permissions", "scope")) == ("Admin", "read:orders", "b", "a")
    assert scopes(claims, scope_claims=["https://claims.example/x"]) == ()
    assert scopes(claims, scope_claims=()) == ()
    assert scopes({"https://claims.example/x": "y"}, scope_claims=["https://claims.example/x"]) == ("y",)


@pytest.mark.parametrize("value", ["1", "true", "null", "{}", "[1]", '["read",null]', '[["read"]]', '{"read":true}'])
def test_a_named_claim_of_the_wrong_type(value: str) -> None:
    for name, named in (("scp", ("scope", "scp")), ("permissions", ("permissions",)), ("roles", ("scope", "roles"))):
        token = mint.token(mint.with_member(mint.claims(), f'"{name}":{value}'))
        assert_claims_verdict(token, ErrorCode.MALFORMED_CLAIMS, scope_claims=named)
        assert_claims_verdict(token, None, scope_claims=("scope",))
    # The registered claim keeps its type, whether it is named or not.
    token = mint.token(mint.with_member(mint.claims(scope=mint.OMIT), f'"scope":{value}'))
    assert_claims_verdict(token, ErrorCode.MALFORMED_CLAIMS, scope_claims=("permissions",))
    assert_claims_verdict(token, ErrorCode.MALFORMED_CLAIMS, scope_claims=())


def test_the_error_names_the_claim_and_not_its_value() -> None:
    with pytest.raises(
        ww.MalformedClaimsError, match='"permissions" must be a string or an array of strings'
    ) as caught:
        scopes({"permissions": {"secret": 1}}, scope_claims=["permissions"])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("claims", "kind", "message"),
    [
        ("scope", TypeError, "scope_claims"),
        ([1], TypeError, "scope_claims"),
        ([""], ValueError, "scope_claims"),
        (["scope", "scope"], ValueError, "twice"),
        *(
            ([name], ValueError, name)
            for name in ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "act", "may_act")
        ),
    ],
)
def test_claims_that_cannot_contain_scopes(claims: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        ww.Policy(scope_claims=claims)
    assert re.search(message, str(caught.value))


def test_everything_that_asks_for_scopes_reads_the_same_ones() -> None:
    record = {"agent": "first", "scope": ["read:orders:*"], "delegated_at": "2030-03-17T17:46:40Z"}
    claims: dict[str, Any] = {"scope": "admin:**", "permissions": ["read:orders:7"], "delegation_chain": [record]}
    token = verified(claims, scope_claims=["permissions"])
    assert token.scopes == ("read:orders:7",)
    assert token.resource_scopes == ResourceScopes.from_claim(["read:orders:7"])
    assert token.slot_scopes == SlotScopes.from_claim(["read:orders:7"])
    assert token.plain_scopes == PlainScopes.from_claim(["read:orders:7"])
    assert token.delegation.actors[0].scopes == ("read:orders:7",)
    token.delegation.check()
    with pytest.raises(ww.ScopeWidenedError):
        verified({**claims, "permissions": ["write:orders:7"]}, scope_claims=["permissions"]).delegation.check()


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d:e", "é"]), max_size=5)
CLAIM = WORDS | WORDS.map(" ".join)
NAMES = ("scope", "scp", "permissions", "roles", "x")


@given(st.dictionaries(st.sampled_from(NAMES), CLAIM), st.lists(st.sampled_from(NAMES), unique=True))
def test_no_scope_comes_from_a_claim_that_is_not_named(claims: dict[str, Any], named: list[str]) -> None:
    found = scopes(claims, scope_claims=named)
    of_each = [
        value.split() if isinstance(value, str) else value for name in named if (value := claims.get(name)) is not None
    ]
    assert set(found) == {word for words in of_each for word in words}
    if len(of_each) == 1:
        assert list(found) == of_each[0]
    else:
        assert list(dict.fromkeys(found)) == list(dict.fromkeys(word for words in of_each for word in words))
