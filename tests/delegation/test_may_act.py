"""``may_act`` (RFC 8693 section 4.4): who may become an actor."""

from __future__ import annotations

from typing import Any

import chains
import mint
import pytest

import watchword as ww


def may_act(claim: Any) -> ww.MayAct:
    found = chains.verified(may_act=claim).may_act
    assert found is not None
    return found


def test_a_token_that_does_not_say() -> None:
    assert chains.verified().may_act is None


def test_the_example_of_rfc_8693() -> None:
    claim = may_act({"sub": "admin@example.net"})  # section 4.4, figure 8
    assert claim.subjects == ("admin@example.net",)
    assert claim.issuer == mint.ISSUER
    assert claim.permits("admin@example.net")
    assert not claim.permits("user@example.net")


def test_a_list_of_names() -> None:
    claim = may_act({"sub": ["client:a", "client:b"]})
    assert claim.subjects == ("client:a", "client:b")
    assert all(claim.permits(name) for name in ("client:a", "client:b"))
    assert not any(claim.permits(name) for name in ("client:c", "client:", "", "client:a,client:b"))


@pytest.mark.parametrize("claim", [{}, {"sub": []}, {"email": "a@example.com"}, {"iss": mint.ISSUER}])
def test_nobody_is_permitted_if_may_act_is_absent(claim: dict[str, Any]) -> None:
    found = may_act(claim)
    assert found.subjects == ()
    assert not any(found.permits(name) for name in ("", "a", "a@example.com", "*"))


def test_names_are_exact() -> None:
    assert not any(
        may_act({"sub": "client:a"}).permits(name) for name in ("client", "client:ab", "CLIENT:a", "client:a ")
    )
    assert not may_act({"sub": "*"}).permits("client:a")
    assert not any(may_act({"sub": "\ufffd"}).permits(name) for name in ("\ud800", "\ufffd\udc00"))


def test_the_issuer_is_a_part_of_the_name() -> None:
    own, foreign = may_act({"sub": "a"}), may_act({"sub": "a", "iss": "https://other.example"})
    assert (own.issuer, foreign.issuer) == (mint.ISSUER, "https://other.example")
    for name, by_own, by_foreign in (
        ("a", True, False),
        ((mint.ISSUER, "a"), True, False),
        (("https://other.example", "a"), False, True),
    ):
        assert (own.permits(name), foreign.permits(name)) == (by_own, by_foreign)


def test_an_actor_of_a_chain_can_be_asked_for() -> None:
    near, far = chains.verified(act={"sub": "a", "act": {"sub": "a", "iss": "https://other.example"}}).delegation.actors
    claim = may_act({"sub": ["a"]})
    assert claim.permits(near)
    assert not claim.permits(far)


@pytest.mark.parametrize("actor", [None, 5, b"a", ["i", "a"], ("a",), ("i", "a", "b"), {"sub": "a"}])
def test_a_name_of_another_type_is_a_mistake(actor: Any) -> None:
    with pytest.raises(TypeError):
        may_act({"sub": "a"}).permits(actor)
