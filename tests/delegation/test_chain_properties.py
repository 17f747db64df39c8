"""Any claims yield a chain or a DelegationError, of bounded size, the same in every way."""

from __future__ import annotations

import itertools
import json
from typing import Any

import chains
import mint
from chains import KEYS, recorded
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww

READERS = (ww.DelegationChain.from_act, ww.DelegationChain.from_records, ww.DelegationChain.from_actor_chain)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names | st.just(""),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "sub",
                    "act",
                    "iss",
                    "exp",
                    "agent",
                    "scope",
                    "delegated_at",
                    "signature",
                    "principal_id",
                    "agent_id",
                    "provider",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
anything = st.dictionaries(
    st.sampled_from(
        ["sub", "iss", "act", "may_act", "scope", "delegation_chain", "chain_hash", "actor_chain", "human_root"]
    ),
    values,
)
scope = st.builds(
    "{}:{}:{}".format, st.sampled_from("rw"), st.sampled_from("de"), st.sampled_from(["*", "a", "b", "a:b"])
)
scopes = st.lists(scope, max_size=4)


def outcome(call: Any) -> Any:
    try:
        return call()
    except ww.DelegationError as error:
        return error.code


@given(anything)
def test_any_claims_are_a_chain_or_a_rejection(claims: dict[str, Any]) -> None:
    for read in READERS:
        first = outcome(lambda read=read: read(claims))
        assert first == outcome(lambda read=read: read(json.dumps(claims)))
        assert first == outcome(lambda read=read: read(json.dumps(claims, ensure_ascii=False, indent=1).encode()))
        if isinstance(first, ww.DelegationChain):
            assert first.depth == len(first.actors) <= 32
            outcome(first.check)


@given(anything)
def test_a_token_is_rejected_for_act_and_may_act_only(claims: dict[str, Any]) -> None:
    claims.pop("scope", None)
    text = {**claims, "iss": mint.ISSUER, "sub": "s"}
    verdict = None
    try:
        token = ww.verify(mint.token(mint.claims(**text)), KEYS, chains.POLICY, now=mint.NOW)
    except ww.VerificationError as error:
        verdict = error.code
    read = outcome(lambda: ww.DelegationChain.from_act(text))
    if isinstance(read, ww.DelegationChain) and "may_act" not in text:
        assert verdict is None
    if isinstance(read, ww.ErrorCode):
        assert verdict is ww.ErrorCode.MALFORMED_CLAIMS
    if verdict is None and not {"delegation_chain", "actor_chain"} & set(text):
        assert token.delegation == read


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_a_chain_or_a_rejection(text: str | bytes) -> None:
    for read in READERS:
        outcome(lambda read=read: read(text))


@given(st.lists(names, max_size=32), names, st.integers(0, 40))
def test_what_was_nested_is_read(actors: list[str], subject: str, limit: int) -> None:
    claims = {"sub": subject, **({"act": chains.act(*actors)} if actors else {})}
    chain = ww.DelegationChain.from_act(claims)
    assert chains.names(chain) == actors
    assert chain.subject == subject
    assert bool(chain.repeated) == (len({*actors, subject}) < len(actors) + 1)
    assert set(chain.repeated) == {name for name in actors if [*actors, subject].count(name) > 1}
    assert outcome(lambda: chain.check(max_depth=limit)) == (None if len(actors) <= limit else "delegation_too_deep")
    assert outcome(lambda: chain.check(allowed_actors=actors)) is None
    for actor in set(actors):
        others = [name for name in actors if name != actor]
        assert outcome(lambda others=others: chain.check(allowed_actors=others)) == "delegation_actor_not_allowed"


#: One of each, exact: what covers what, in as many words.
def covers(held: list[str], asked: list[str]) -> bool:
    def one(have: str, want: str) -> bool:
        first, second = have.split(":", 2), want.split(":", 2)
        return first[:2] == second[:2] and (first[2] in ("*", second[2]))

    return all(any(one(have, want) for have in held) for want in asked)


@given(st.lists(scopes, min_size=2, max_size=6))
def test_scopes_narrow_at_every_hop_or_the_chain_is_rejected(held: list[list[str]]) -> None:
    *records, last = [chains.record(f"agent:{index}", scope) for index, scope in enumerate(held)]
    chain = ww.DelegationChain.from_records(recorded(*records, scope=last["scope"]), keys=KEYS)
    assert [list(actor.scopes or ()) for actor in reversed(chain.actors)] == held[1:]
    narrow = all(covers(wider, narrower) for wider, narrower in itertools.pairwise(held))
    assert outcome(chain.check) == (None if narrow else "delegation_scope_widened")


@given(st.lists(st.tuples(names, st.lists(names, max_size=3)), min_size=1, max_size=4), st.data())
def test_a_proved_chain_is_proved_no_more_when_a_character_changes(
    parts: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    records = [chains.record(agent, scope) for agent, scope in parts]
    claims = recorded(*records)
    ambiguous = any("|" in agent or "," in "".join(scope) for agent, scope in parts)
    proved = outcome(lambda: ww.DelegationChain.from_records(claims, keys=KEYS))
    assert (proved == "delegation_invalid_signature") is ambiguous
    place = data.draw(st.integers(0, len(records) - 1))
    field = data.draw(st.sampled_from(["agent", "delegated_at", "signature"]))
    old = records[place][field]
    at = data.draw(st.integers(0, len(old) - 1))
    new = old[:at] + data.draw(st.characters(codec="utf-8")) + old[at + 1 :]
    if new == old:
        return
    changed = [dict(one) for one in records]
    changed[place][field] = new
    forged = {**claims, "delegation_chain": changed}
    assert outcome(lambda: ww.DelegationChain.from_records(forged)) == "delegation_hash_mismatch"
    forged["chain_hash"] = chains.chain_hash(changed)
    assert outcome(lambda: ww.DelegationChain.from_records(forged, keys=KEYS)) == "delegation_invalid_signature"
