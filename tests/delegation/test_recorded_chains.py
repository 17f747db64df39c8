"""``delegation_chain`` and ``chain_hash``: records, oldest first, hashed and signed by the issuer."""

from __future__ import annotations

from typing import Any

import chains
import mint
import pytest
from chains import KEYS, record, recorded

import watchword as ww

ROOT, MIDDLE, LEAF = (f"spiffe://agents.example/agent/orch/task/{name}" for name in ("0a", "0b", "0c"))
RECORDS = [
    record(ROOT, ["read:data:*", "write:data:a"], "2026-11-21T07:00:00Z"),
    record(MIDDLE, ["read:data:*"], "2026-11-21T07:00:01.5Z"),
]
CLAIMS = recorded(*RECORDS, sub=LEAF, scope=["read:data:a"])


def read(claims: chains.Claims, **more: Any) -> ww.DelegationChain:
    return ww.DelegationChain.from_records(claims, **more)


def test_the_subject_handed_on_first_and_the_holder_is_the_nearest_actor() -> None:
    for chain in (read(CLAIMS), read(CLAIMS, keys=KEYS), chains.verified(**CLAIMS).delegation):
        assert chain.subject == ROOT
        assert chain.scopes == ("read:data:*", "write:data:a")
        assert chains.names(chain) == [LEAF, MIDDLE]
        assert [actor.scopes for actor in chain.actors] == [("read:data:a",), ("read:data:*",)]
        assert [actor.delegated_at for actor in chain.actors] == ["2026-11-21T07:00:01.5Z", "2026-11-21T07:00:00Z"]
        assert (chain.depth, chain.human_root, chain.repeated) == (2, False, ())
        chain.check(max_depth=2, allowed_actors=[LEAF, MIDDLE], allow_cycles=False)


@pytest.mark.parametrize("claims", [{"sub": LEAF}, {"sub": LEAF, "delegation_chain": []}])
@pytest.mark.parametrize("keys", [None, KEYS])
def test_no_records_are_a_chain_without_actors(claims: chains.Claims, keys: ww.KeySet | None) -> None:
    chain = read(claims, keys=keys)
    assert (chain.subject, chain.depth, chain.scopes) == (LEAF, 0, None)


def test_known_answer_of_the_hash() -> None:
    # Worked out by hand and `sha256sum`, not by this test's helpers.
    one = {"agent": "a", "scope": ["read:data:x"], "delegated_at": "2026-01-01T00:00:00Z", "signature": "00"}
    digest = "59a2b5bd4144d1ae38e0e6e0948e526cb42923712ee2dc445ce419d67a2fc8be"
    claims = {"sub": "b", "delegation_chain": [one], "chain_hash": digest}
    assert read(claims).depth == 1


@pytest.mark.parametrize(
    "hostile", ["<b>", "a&b", "a>b", "\u2028\u2029", "ü€😀", 'a"b\\c', "a\n\t\r\b\f\x01\x1f\x7f", "/"]
)
@pytest.mark.parametrize("where", ["agent", "scope"])
def test_the_hash_is_that_of_gos_json(hostile: str, where: str) -> None:
    name, scope = ("a" + hostile, "read:data:x") if where == "agent" else ("a", "read:data:" + hostile)
    claims = recorded(record(name, [scope]), scope=[scope])
    chain = read(claims, keys=KEYS)
    assert (chain.subject, chain.scopes) == (name, (scope,))


@pytest.mark.parametrize(
    "change",
    [
        {"agent": "agent:other"},
        {"scope": ["read:data:*", "write:data:*"]},
        {"scope": ["write:data:a", "read:data:*"]},
        {"scope": []},
        {"delegated_at": "2026-11-21T07:00:00.0Z"},
        {"signature": "00" * 64},
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_record_is_not_what_was_hashed_nor_what_was_signed(change: chains.Claims, place: int) -> None:
    records = [dict(one) for one in RECORDS]
    records[place].update(change)
    with pytest.raises(ww.DelegationHashMismatchError):
        read({**CLAIMS, "delegation_chain": records})
    again = {**CLAIMS, "delegation_chain": records, "chain_hash": chains.chain_hash(records)}
    assert read(again).depth == 2
    with pytest.raises(ww.DelegationSignatureError):
        read(again, keys=KEYS)


@pytest.mark.parametrize("records", [RECORDS[:1], RECORDS[1:], RECORDS[::-1], [*RECORDS, RECORDS[0]], []])
def test_records_left_out_added_or_moved_are_not_what_was_hashed(records: list[chains.Claims]) -> None:
    with pytest.raises(ww.DelegationError) as caught:
        read({**CLAIMS, "delegation_chain": records})
    assert caught.value.code == ("delegation_hash_mismatch" if records else "delegation_malformed")


@pytest.mark.parametrize(
    "value", ["", "0" * 64, CLAIMS["chain_hash"].upper(), CLAIMS["chain_hash"][:-1], CLAIMS["chain_hash"] + "0"]
)
def test_another_hash(value: str) -> None:
    with pytest.raises(ww.DelegationHashMismatchError):
        read({**CLAIMS, "chain_hash": value})


def test_the_hash_may_be_missing_unless_keys_are_given() -> None:
    claims = {**CLAIMS}
    del claims["chain_hash"]
    assert read(claims).depth == 2
    with pytest.raises(ww.DelegationMalformedError, match="chain_hash"):
        read(claims, keys=KEYS)


@pytest.mark.parametrize(
    "signature", ["", "zz" * 64, "00" * 63, "00" * 65, "0", RECORDS[1]["signature"], RECORDS[0]["signature"].upper()]
)
def test_a_signature_that_does_not_hold(signature: str) -> None:
    records = [{**RECORDS[0], "signature": signature}, RECORDS[1]]
    claims = {**CLAIMS, "delegation_chain": records, "chain_hash": chains.chain_hash(records)}
    assert read(claims).depth == 2
    with pytest.raises(ww.DelegationSignatureError):
        read(claims, keys=KEYS)


def test_a_record_without_a_signature_is_read_but_not_proved() -> None:
    unsigned = {name: value for name, value in RECORDS[0].items() if name != "signature"}
    claims = recorded(unsigned, sub=MIDDLE)
    assert read(claims).depth == 1
    with pytest.raises(ww.DelegationSignatureError):
        read(claims, keys=KEYS)


def test_one_signature_cannot_speak_for_another_record() -> None:
    # The signed text has no quotes: these two pairs of records have the same one.
    for one, other in (
        (record("a", ["read:data:x,read:data:y"]), {"scope": ["read:data:x", "read:data:y"]}),
        (record("a|read:data:x", ["read:data:y"]), {"agent": "a", "scope": ["read:data:x|read:data:y"]}),
    ):
        changed = {**one, **other}
        outcomes = []
        for candidate in (one, changed):
            claims = recorded(candidate)
            assert read(claims).depth == 1
            try:
                read(claims, keys=KEYS)
            except ww.DelegationSignatureError:
                outcomes.append("rejected")
            else:
                outcomes.append("proved")
        assert outcomes.count("proved") <= 1, (one, changed)


def test_only_ed25519_keys_can_have_signed_a_record() -> None:
    for keys in (mint.jwks(), mint.jwks("rsa", "p256")):
        with pytest.raises(ww.DelegationSignatureError, match="no Ed25519 key"):
            read(CLAIMS, keys=ww.KeySet.from_json(keys))
    for key in (
        mint.public_jwk("ed25519"),
        mint.public_jwk("ed25519", kid=mint.OMIT),
        mint.public_jwk("ed25519", alg="Ed25519"),
    ):
        assert read(CLAIMS, keys=ww.KeySet.from_json(mint.jwks("rsa", key, "p256"))).depth == 2
    reference = ww.KeySet.from_json(mint.jwks("ed25519"), backend="reference")
    assert read(CLAIMS, keys=reference).depth == 2


def test_no_more_than_16_keys_are_tried() -> None:
    few = [mint.public_jwk("ed25519", kid=f"k{index}") for index in range(16)]
    assert read(CLAIMS, keys=ww.KeySet.from_json({"keys": few})).depth == 2
    many = [*few, mint.public_jwk("ed25519", kid="k16")]
    with pytest.raises(ww.DelegationSignatureError, match="too many"):
        read(CLAIMS, keys=ww.KeySet.from_json({"keys": many}))


MALFORMED: dict[str, chains.Claims] = {
    "not an array": {"delegation_chain": {}},
    "null": {"delegation_chain": None},
    "text": {"delegation_chain": "a"},
    "not of objects": {"delegation_chain": ["a"]},
    "one of them null": {"delegation_chain": [RECORDS[0], None]},
    "no sub": {"sub": mint.OMIT},
    "empty sub": {"sub": ""},
    "scope of the token": {"scope": 5},
    "hash not text": {"chain_hash": 5},
    "hash null": {"chain_hash": None},
    **{
        f"{member} {value!r}": {"delegation_chain": [{**RECORDS[0], member: value}, RECORDS[1]]}
        for member, values in {
            "agent": ["", None, 5, ["a"]],
            "scope": [None, "read:data:*", [5], [""], {}],
            "delegated_at": ["", None, 5],
            "signature": [None, 5, ["00"]],
        }.items()
        for value in values
    },
    **{
        f"without {member}": {"delegation_chain": [{k: v for k, v in RECORDS[0].items() if k != member}]}
        for member in ("agent", "scope", "delegated_at")
    },
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_records(name: str) -> None:
    claims = {key: value for key, value in {**CLAIMS, **MALFORMED[name]}.items() if value is not mint.OMIT}
    with pytest.raises(ww.DelegationMalformedError):
        read(claims)


@pytest.mark.parametrize("name", [name for name in MALFORMED if "sub" not in name and "scope of" not in name])
def test_a_token_with_malformed_records_is_verified_but_has_no_chain(name: str) -> None:
    token = chains.verified(**{**CLAIMS, **MALFORMED[name]})
    for _ in range(2):
        with pytest.raises(ww.DelegationError):
            _ = token.delegation


@pytest.mark.parametrize(("count", "limit"), [(32, 32), (33, 33), (96, 96), (1, 1)])
def test_as_many_records_as_are_allowed(count: int, limit: int) -> None:
    records = [record(f"a{index}", ["read:data:x"]) for index in range(count)]
    claims = recorded(*records, scope=["read:data:x"])
    chain = read(claims, keys=KEYS, max_actors=limit)
    assert chain.depth == count
    chain.check()


@pytest.mark.parametrize(("count", "limit"), [(33, 32), (2, 1), (97, 96), (5000, 96)])
def test_more_records_than_are_allowed(count: int, limit: int) -> None:
    with pytest.raises(ww.DelegationTooDeepError):
        read(recorded(*[RECORDS[0]] * count), max_actors=limit)


def test_two_records_of_delegation_may_contradict_each_other() -> None:
    both = {**CLAIMS, "act": chains.act("client:a")}
    for claims in (both, {**both, "actor_chain": {}}, {"actor_chain": {}, "act": chains.act("client:a")}):
        token = chains.verified(**claims)
        with pytest.raises(ww.DelegationMalformedError, match="only record"):
            _ = token.delegation
    assert chains.names(ww.DelegationChain.from_act(both)) == ["client:a"]
    assert chains.names(read(both, keys=KEYS)) == [LEAF, MIDDLE]


def test_the_scopes_of_the_current_actor_are_those_of_the_named_claims() -> None:
    claims = {**CLAIMS, "scope": ["read:data:a"], "scp": "read:data:b", "permissions": ["read:data:c"]}
    for names, scopes in (
        (("scope",), ("read:data:a",)),
        (["permissions", "scp"], ("read:data:c", "read:data:b")),
        ((), ()),
    ):
        assert read(claims, scope_claims=names).actors[0].scopes == scopes
    assert read(claims).actors[0].scopes == read(claims, scope_claims=("scope", "scp")).actors[0].scopes
    for invalid, error in ((["sub"], ValueError), (["scp", "scp"], ValueError), ("scope", TypeError)):
        with pytest.raises(error, match="scope_claims"):
            read(claims, scope_claims=invalid)
