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


#: As authgent documents it: the agent that presents the token first, the human last.
DOCUMENTED = {"sub": "client:agnt_search", "act": {"sub": "user:123"}}

HUMAN: dict[str, dict[str, Any]] = {
    "the subject, without actors": {"sub": "user:123"},
    "the subject, as the server writes it": {"sub": "user:123", "act": act("client:a", "client:b")},
    "the claim": {"sub": "auto_approved_user", "human_root": True, "act": act("client:a")},
    "the innermost actor, as documented": {"sub": "client:agnt_1", "act": DOCUMENTED},
    "the innermost actor, of three": {"sub": "client:agnt_1", "act": act("client:a", "client:b", "user:123")},
    "the innermost actor, without a subject": {"act": DOCUMENTED},
    "the innermost actor, with the token's own issuer": {
        "iss": ISSUER,
        "sub": "client:agnt_1",
        "act": {"sub": "client:a", "act": {"sub": "user:123", "iss": ISSUER}},
    },
    "both": {"sub": "user:123", "act": DOCUMENTED},
}

NOT_HUMAN: dict[str, dict[str, Any]] = {
    "nobody": {"sub": "client:agnt_1"},
    "only agents": {"sub": "client:agnt_1", "act": act("client:a", "client:b")},
    "a human who acts for an agent": {"sub": "client:agnt_1", "act": act("user:123")},
    "the nearest actor": {"sub": "client:agnt_1", "act": act("user:123", "client:a")},
    "one in the middle": {"sub": "client:agnt_1", "act": act("client:a", "user:123", "client:b")},
    "two humans": {"sub": "client:agnt_1", "act": act("user:1", "user:2")},
    "two humans and an agent": {"sub": "client:agnt_1", "act": act("client:a", "user:1", "user:2")},
    "a human of another issuer": {
        "iss": ISSUER,
        "sub": "client:agnt_1",
        "act": {"sub": "client:a", "act": {"sub": "user:123", "iss": "https://other.example"}},
    },
    "below an agent of another issuer": {
        "iss": ISSUER,
        "sub": "client:agnt_1",
        "act": {"sub": "client:a", "iss": "https://other.example", "act": {"sub": "user:123"}},
    },
    "the token says no": {"sub": "client:agnt_1", "human_root": False, "act": DOCUMENTED},
    "the token says neither": {"sub": "client:agnt_1", "human_root": "true", "act": DOCUMENTED},
    "the token says null": {"sub": "client:agnt_1", "human_root": None, "act": DOCUMENTED},
    "no name": {"sub": "client:agnt_1", "act": act("client:a", "user:")},
    "another case": {"sub": "client:agnt_1", "act": act("client:a", "User:123")},
    "another prefix": {"sub": "client:agnt_1", "act": act("client:a", "xuser:123")},
    "a subject of another case": {"sub": "USER:123", "act": act("client:a")},
    "a subject without a name": {"sub": "user:"},
}


@pytest.mark.parametrize("shape", [*HUMAN, *NOT_HUMAN])
def test_which_shapes_have_a_human_root(shape: str) -> None:
    claims = HUMAN.get(shape) or NOT_HUMAN[shape]
    chains = [authgent.DelegationChain.from_claims(claims), authgent.AgentIdentity.from_claims(claims).delegation_chain]
    if "sub" in claims:
        chains.append(verify(token(**claims)).delegation_chain)
    for chain in chains:
        for same in (chain, copy.copy(chain), pickle.loads(pickle.dumps(chain))):
            assert same.human_root is (shape in HUMAN)
            if shape in HUMAN:
                assert authgent.verify_delegation_chain(same, require_human_root=True) is same
            else:
                with pytest.raises(authgent.DelegationError) as caught:
                    authgent.verify_delegation_chain(same, require_human_root=True)
                assert caught.value.error_code == "no_human_root"


def test_a_human_who_is_the_innermost_actor_counts_as_an_actor() -> None:
    chain = verify(token(act=DOCUMENTED)).delegation_chain
    assert chain.depth == 2
    assert chain.actors[-1] == {"sub": "user:123"}
    both = ["client:agnt_search", "user:123"]
    assert authgent.verify_delegation_chain(chain, 2, both, require_human_root=True) is chain
    for requirement in ({"max_depth": 1}, {"allowed_actors": both[:1]}):
        with pytest.raises(authgent.DelegationError):
            authgent.verify_delegation_chain(chain, require_human_root=True, **requirement)  # type: ignore[arg-type]


def test_a_chain_that_is_made_has_the_root_that_is_given() -> None:
    actors = [{"sub": "client:a"}, {"sub": "user:123"}]
    assert not authgent.DelegationChain(actors).human_root
    assert authgent.DelegationChain(actors, human_root=True).human_root


def test_who_is_human_is_a_setting() -> None:
    # The package's way: the innermost actor's name alone decides.
    def innermost(chain: authgent.DelegationChain) -> bool:
        return bool(chain.actors) and chain.actors[-1]["sub"].startswith("user:")

    chain = authgent.AgentIdentity.from_claims({"sub": "client:a", "act": act("user:ada")}).delegation_chain
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
