"""The compiled matchers of a verified token."""

from __future__ import annotations

from typing import Any

import mint
import pytest

import watchword as ww
from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)

each_matcher = pytest.mark.parametrize(
    ("name", "matcher"),
    [("resource_scopes", ResourceScopes), ("slot_scopes", SlotScopes), ("plain_scopes", PlainScopes)],
)


def verified(scope: Any) -> ww.VerifiedToken:
    return ww.verify(mint.token(mint.claims(scope=scope)), KEYS, POLICY, now=mint.NOW)


@each_matcher
@pytest.mark.parametrize(
    "scope",
    [
        "users:** users:read owner",
        "read:orders:* write:orders:7",
        "a:b:c a:b:c",
        "",
        mint.OMIT,
        ["a b", "*:*"],
        'a"b \ud83d\ude00:x',
    ],
    ids=["resources", "slots", "repeated", "empty", "absent", "array", "no scope tokens"],
)
def test_they_are_what_from_claim_makes_of_the_scopes(name: str, matcher: Any, scope: Any) -> None:
    token = verified(scope)
    kept = getattr(token, name)
    assert type(kept) is matcher
    assert kept == matcher.from_claim(token.scopes)
    assert (list(kept), kept.ignored) == (
        list(matcher.from_claim(token.scopes)),
        matcher.from_claim(token.scopes).ignored,
    )


@each_matcher
def test_each_is_compiled_once(name: str, matcher: Any) -> None:
    token = verified("users:read")
    assert getattr(token, name) is getattr(token, name)
    [one] = ww.verify_many([mint.token()], KEYS, POLICY, now=mint.NOW)
    assert isinstance(one, ww.VerifiedToken)
    assert getattr(one, name) is getattr(one, name)
    assert isinstance(getattr(one, name), matcher)


def test_what_they_allow() -> None:
    token = verified("users:** read:orders:7")
    assert token.resource_scopes.allows(action="read", resource="users.keys")
    assert token.slot_scopes.allows(action="read", resource="orders", identifier="7")
    assert token.plain_scopes.allows("users:**")
    with pytest.raises(ww.InsufficientScopeError):
        token.resource_scopes.require(action="read", resource="orders")
