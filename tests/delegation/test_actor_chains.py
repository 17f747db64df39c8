"""``actor_chain``: an envelope of a principal and an agent."""

from __future__ import annotations

from typing import Any

import chains
import mint
import pytest

import watchword as ww

ENVELOPE: dict[str, Any] = {
    "principal_id": "principal-uuid",
    "agent": {"provider": "openai", "agent_id": "shopping-agent"},
}


def test_the_principal_is_the_subject_and_the_agent_the_actor() -> None:
    claims = {"iss": mint.ISSUER, "sub": "principal-uuid", "actor_chain": ENVELOPE}
    for chain in (ww.DelegationChain.from_actor_chain(claims), chains.verified(**claims).delegation):
        assert (chain.subject, chain.issuer, chain.depth) == ("principal-uuid", mint.ISSUER, 1)
        (agent,) = chain.actors
        assert (agent.subject, agent.issuer) == ("shopping-agent", "openai")
        assert (agent.scopes, agent.delegated_at, chain.scopes) == (None, None, None)


def test_an_agent_is_named_together_with_its_provider() -> None:
    chain = ww.DelegationChain.from_actor_chain({"iss": mint.ISSUER, "actor_chain": ENVELOPE})
    chain.check(max_depth=1, allowed_actors=[("openai", "shopping-agent")])
    for other in ("shopping-agent", (mint.ISSUER, "shopping-agent"), ("other", "shopping-agent")):
        with pytest.raises(ww.ActorNotAllowedError):
            chain.check(allowed_actors=[other])


def test_without_a_provider_the_name_is_one_of_the_tokens_issuer() -> None:
    claims = {"iss": mint.ISSUER, "actor_chain": {**ENVELOPE, "agent": {"agent_id": "shopping-agent"}}}
    ww.DelegationChain.from_actor_chain(claims).check(allowed_actors=["shopping-agent"])


def test_who_counts_as_human_is_for_the_caller_to_say() -> None:
    chain = ww.DelegationChain.from_actor_chain({"actor_chain": ENVELOPE})
    assert chain.human_root is False
    chain.check(require_human_root=True, human=lambda chain: chain.subject == "principal-uuid")


def test_no_envelope_is_a_chain_without_actors() -> None:
    chain = ww.DelegationChain.from_actor_chain({"sub": "user:ada"})
    assert (chain.subject, chain.depth) == ("user:ada", 0)


@pytest.mark.parametrize(
    "envelope",
    [
        None, 5, "a", [], [ENVELOPE], {}, {"principal_id": "p"}, {"agent": ENVELOPE["agent"]},
        {**ENVELOPE, "principal_id": ""}, {**ENVELOPE, "principal_id": 5}, {**ENVELOPE, "principal_id": ["p"]},
        {**ENVELOPE, "agent": None}, {**ENVELOPE, "agent": "agent"}, {**ENVELOPE, "agent": [ENVELOPE["agent"]]},
        {**ENVELOPE, "agent": {}}, {**ENVELOPE, "agent": {"provider": "openai"}},
        {**ENVELOPE, "agent": {"provider": "openai", "agent_id": ""}},
        {**ENVELOPE, "agent": {"provider": "openai", "agent_id": 5}},
        {**ENVELOPE, "agent": {"provider": 5, "agent_id": "a"}},
        {**ENVELOPE, "agent": {"provider": None, "agent_id": "a"}},
    ],
)  # fmt: skip
def test_malformed_envelopes(envelope: object) -> None:
    with pytest.raises(ww.DelegationMalformedError):
        ww.DelegationChain.from_actor_chain({"sub": "p", "actor_chain": envelope})
    token = chains.verified(actor_chain=envelope)
    with pytest.raises(ww.DelegationMalformedError):
        _ = token.delegation
