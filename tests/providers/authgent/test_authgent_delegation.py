"""Chains of delegation under authgent's names."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from authgent_tokens import API, ISSUER, KEYS, act, token, verify

import watchword.providers.authgent as authgent

HOPS = ("client:mailer", "client:searcher", "client:orchestrator")


@pytest.fixture(name="chain")
def _chain() -> authgent.DelegationChain:
    raw = token(sub="user:ada", aud=API, act=act(*HOPS))
    return authgent.verify_token_sync(raw, ISSUER, API, KEYS).delegation_chain


def test_a_token_tells_its_chain() -> None:
    identity = verify(token(sub="user:ada", act=act(*HOPS)))
    chain = identity.delegation_chain
    assert chain.actors == [{"sub": hop} for hop in HOPS]
    assert chain.depth == 3
    assert chain.human_root
    assert chain.subject == "user:ada"
    assert chain.has_actor("client:searcher")
    assert not chain.has_actor("user:ada")


def test_the_documented_requirements(chain: authgent.DelegationChain) -> None:
    passed = authgent.verify_delegation_chain(
        chain, max_depth=3, require_human_root=True, allowed_actors=[*HOPS, "client:other"]
    )
    assert passed is chain
    assert authgent.verify_delegation_chain(chain, 3, list(HOPS), True) is chain


@pytest.mark.parametrize(
    ("requirement", "code"),
    [
        ({"max_depth": 2}, "delegation_depth_exceeded"),
        ({"allowed_actors": HOPS[:2]}, "unauthorized_actor"),
        ({"allowed_actors": []}, "unauthorized_actor"),
        ({"require_human_root": True, "human": lambda _: False}, "no_human_root"),
    ],
)
def test_unmet_requirements_have_authgents_codes(
    chain: authgent.DelegationChain, requirement: dict[str, Any], code: str
) -> None:
    with pytest.raises(authgent.DelegationError) as caught:
        authgent.verify_delegation_chain(chain, **requirement)
    assert caught.value.error_code == code
    assert caught.value.http_status == 403
    assert not any(hop in str(caught.value) for hop in HOPS)


def test_five_actors_are_allowed_by_default() -> None:
    five, six = (authgent.DelegationChain([{"sub": f"client:{n}"} for n in range(many)]) for many in (5, 6))
    assert authgent.verify_delegation_chain(five) is five
    with pytest.raises(authgent.DelegationError):
        authgent.verify_delegation_chain(six)


def test_who_is_human_is_a_setting() -> None:
    # The old way: the innermost actor's name decides.
    def innermost(chain: authgent.DelegationChain) -> bool:
        return bool(chain.actors) and chain.actors[-1]["sub"].startswith("user:")

    chain = authgent.AgentIdentity.from_claims({"sub": "client:a", "act": act("client:b", "user:ada")}).delegation_chain
    assert not chain.human_root
    assert authgent.verify_delegation_chain(chain, require_human_root=True, human=innermost) is chain


def test_another_issuers_actor_is_another_actor() -> None:
    given = {"iss": ISSUER, "sub": "user:ada", "act": {"sub": "client:a", "iss": "https://other.example"}}
    chain = authgent.AgentIdentity.from_claims(given).delegation_chain
    assert chain.actors == [{"sub": "client:a", "iss": "https://other.example"}]
    assert not chain.has_actor("client:a")
    with pytest.raises(authgent.DelegationError):
        authgent.verify_delegation_chain(chain, allowed_actors=["client:a"])
    assert authgent.verify_delegation_chain(chain, allowed_actors=[("https://other.example", "client:a")]) is chain


def test_an_actor_without_a_sub_is_not_one_of_authgents() -> None:
    with pytest.raises(authgent.DelegationError):
        authgent.AgentIdentity.from_claims({"sub": "user:ada", "act": {"client_id": "web"}})


def test_a_chain_can_be_made_for_a_test_and_not_be_changed(chain: authgent.DelegationChain) -> None:
    made = authgent.DelegationChain(actors=[{"sub": hop} for hop in HOPS], depth=3, human_root=True)
    assert made == chain
    assert hash(made) == hash(chain)
    assert made != authgent.DelegationChain()
    assert made != "a chain"
    made.actors.append({"sub": "client:more"})
    assert made.depth == len(made.actors) == 3
    for name in ("depth", "actors", "human_root"):
        with pytest.raises(AttributeError):
            setattr(made, name, 0)
    for copied in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copied == made


@pytest.mark.parametrize(
    "arguments",
    [
        {"depth": 1},
        {"actors": [{"sub": "a"}], "depth": 0},
        {"actors": [{}]},
        {"actors": [{"client_id": "web"}]},
        {"actors": [{"sub": 5}]},
        {"actors": [{"sub": ""}]},
        {"actors": [{"sub": "a"}] * 97},
    ],
)
def test_what_makes_no_chain_is_the_callers_mistake(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        authgent.DelegationChain(**arguments)


def test_the_longest_chain_can_be_made() -> None:
    longest = authgent.DelegationChain([{"sub": f"client:{n}"} for n in range(96)])
    assert authgent.verify_delegation_chain(longest, max_depth=96).depth == 96


def test_what_is_no_chain_is_the_callers_mistake() -> None:
    for thing in (None, {}, "chain"):
        with pytest.raises(TypeError, match="chain must be"):
            authgent.verify_delegation_chain(thing)  # type: ignore[arg-type]  # the point
