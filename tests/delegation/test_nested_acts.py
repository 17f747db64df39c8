"""``act`` (RFC 8693 section 4.1), from tokens and from claims."""

from __future__ import annotations

import json

import chains
import mint
import pytest

import watchword as ww


def test_a_token_without_delegation_has_a_chain_without_actors() -> None:
    chain = chains.verified().delegation
    assert (chain.subject, chain.issuer, chain.actors, chain.depth) == ("agent-7", mint.ISSUER, (), 0)
    assert (chain.scopes, chain.human_root, chain.repeated) == (None, False, ())
    chain.check()


def test_the_example_of_rfc_8693() -> None:
    # Section 4.1, figures 5 and 6: admin acts for user, through a service that acts for it.
    claims = json.loads("""
      {"aud":"https://service26.example.com", "iss":"https://issuer.example.com", "exp":1443904100, "nbf":1443904000,
       "sub":"user@example.com",
       "act": {"sub":"https://service16.example.com", "act": {"sub":"https://service77.example.com"}}}
    """)
    chain = ww.DelegationChain.from_act(claims)
    assert chain.subject == "user@example.com"
    assert chains.names(chain) == ["https://service16.example.com", "https://service77.example.com"]
    assert {actor.issuer for actor in chain.actors} == {"https://issuer.example.com"}
    assert chain.depth == 2
    policy = ww.Policy(issuer=claims["iss"], audience=claims["aud"])
    token = ww.verify(mint.token(claims), chains.KEYS, policy, now=1_443_904_050)
    assert token.delegation == chain


def test_the_nearest_actor_comes_first_and_the_chain_is_read_once() -> None:
    token = chains.verified(sub="user:ada", act=chains.act("client:near", "client:far"))
    assert chains.names(token.delegation) == ["client:near", "client:far"]
    assert token.delegation is token.delegation


def test_an_actor_has_an_issuer_of_its_own_or_that_of_the_token() -> None:
    claims = {"iss": "https://as.example", "act": {"sub": "a", "iss": "https://other.example", "act": {"sub": "a"}}}
    near, far = ww.DelegationChain.from_act(claims).actors
    assert (near.issuer, far.issuer) == ("https://other.example", "https://as.example")
    assert near != far
    assert (near.scopes, near.delegated_at) == (None, None)


def test_an_actor_without_a_sub_is_unknown() -> None:
    # As Duende writes it.
    chain = chains.verified(sub="user:ada", act={"client_id": "web", "act": {"sub": "client:far"}}).delegation
    near, far = chain.actors
    assert (near.subject, near.issuer, far.subject) == (None, mint.ISSUER, "client:far")
    assert (chain.depth, chain.subject, repr(near)) == (2, "user:ada", "Actor(subject=None)")
    assert near != far
    assert len({*chain.actors}) == 2
    may_act = chains.verified(may_act={"sub": "a"}).may_act
    assert may_act is not None
    assert not may_act.permits(near)


def test_what_else_identifies_an_actor_is_no_concern() -> None:
    chain = chains.verified(
        act={"sub": "client:a", "email": "a@example.com", "amr": ["pop"], "x": {"act": 5}}
    ).delegation
    assert chains.names(chain) == ["client:a"]


def test_members_after_the_inner_act_belong_to_the_outer_one() -> None:
    payload = mint.with_member(
        mint.claims(), '"act":{"act":{"act":{"sub":"c"},"sub":"b"},"iss":"https://x.example","sub":"a"}'
    )
    chain = ww.verify(mint.token(payload), chains.KEYS, chains.POLICY, now=mint.NOW).delegation
    assert [(actor.subject, actor.issuer) for actor in chain.actors] == [
        ("a", "https://x.example"), ("b", mint.ISSUER), ("c", mint.ISSUER),
    ]  # fmt: skip


@pytest.mark.parametrize("claims", [{}, "{}", b"{}", {"sub": "x"}])
def test_claims_without_act(claims: object) -> None:
    assert ww.DelegationChain.from_act(claims).depth == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 2, 5, 31, 32])
def test_up_to_32_actors_are_read_by_default(count: int) -> None:
    actors = [f"client:{index}" for index in range(count)]
    chain = ww.DelegationChain.from_act({"sub": "user:ada", "act": chains.act(*actors)})
    assert chains.names(chain) == actors
    assert chain.depth == count


@pytest.mark.parametrize(("count", "limit"), [(33, 32), (2, 1), (96, 95), (97, 96), (500, 32), (100_000, 96)])
def test_a_longer_chain_is_not_read(count: int, limit: int) -> None:
    text = '{"act":' + '{"sub":"a","act":' * (count - 1) + '{"sub":"a"}' + "}" * count
    for claims in (text, text.encode()):
        with pytest.raises(ww.DelegationTooDeepError) as caught:
            ww.DelegationChain.from_act(claims, max_actors=limit)
        assert str(limit) in caught.value.detail


@pytest.mark.parametrize(("count", "limit"), [(1, 1), (33, 33), (95, 96), (96, 96)])
def test_the_length_of_a_chain_is_a_setting(count: int, limit: int) -> None:
    assert ww.DelegationChain.from_act({"act": chains.act(*["a"] * count)}, max_actors=limit).depth == count


def test_a_mapping_too_deep_for_python_is_too_deep() -> None:
    claims: chains.Claims = {"sub": "a"}
    for _ in range(200_000):
        claims = {"sub": "a", "act": claims}
    with pytest.raises(ww.DelegationTooDeepError):
        ww.DelegationChain.from_act(claims)
    while isinstance(claims, dict) and "act" in claims:
        claims = claims.pop("act")  # Python, too, would free it by recursion


def test_a_mapping_that_contains_itself_is_no_claims() -> None:
    claims: chains.Claims = {"sub": "a"}
    claims["act"] = claims
    with pytest.raises(ValueError, match="ircular"):
        ww.DelegationChain.from_act(claims)


def test_in_a_token_31_levels_fit_into_strict_json() -> None:
    actors = [f"a{index}" for index in range(31)]
    assert chains.names(chains.verified(act=chains.act(*actors)).delegation) == actors
    with pytest.raises(ww.MalformedClaimsError):
        chains.verified(act=chains.act(*actors, "a31"))


@pytest.mark.parametrize("limit", [0, -1, 97, 10**30, -(10**30)])
def test_an_invalid_limit(limit: int) -> None:
    for read in (ww.DelegationChain.from_act, ww.DelegationChain.from_records):
        with pytest.raises(ValueError, match="max_actors"):
            read({}, max_actors=limit)


@pytest.mark.parametrize("claims", [None, 5, [], [("sub", "x")], object()])
def test_claims_of_another_type_are_a_callers_mistake(claims: object) -> None:
    for read in (ww.DelegationChain.from_act, ww.DelegationChain.from_records, ww.DelegationChain.from_actor_chain):
        with pytest.raises(TypeError):
            read(claims)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "claims",
    [
        "", "[]", "null", "{", b"\xff", "\ud800", b"\xef\xbb\xbf{}", '{"sub":1}', '{"iss":1}', '{"sub":null}',
        '{"a":1,"a":1}', '{"act":"\\ud800"}',
    ],
)  # fmt: skip
def test_claims_that_are_not_strict_json_or_of_the_wrong_type(claims: str | bytes) -> None:
    for read in (ww.DelegationChain.from_act, ww.DelegationChain.from_records, ww.DelegationChain.from_actor_chain):
        with pytest.raises(ww.DelegationMalformedError):
            read(claims)


def test_chains_and_actors_are_values() -> None:
    claims = {"iss": "i", "sub": "user:ada", "act": chains.act("a", "b")}
    first, second = ww.DelegationChain.from_act(claims), ww.DelegationChain.from_act(json.dumps(claims))
    assert first == second
    assert len({first, second}) == 1
    assert first != ww.DelegationChain.from_act({**claims, "sub": "user:bob"})
    assert len({*first.actors, *second.actors}) == 2
    assert first != "user:ada"


def test_none_of_them_can_be_made_by_hand() -> None:
    for kind in (ww.DelegationChain, ww.Actor, ww.MayAct):
        with pytest.raises(TypeError):
            kind()


def test_reprs_contain_no_names() -> None:
    token = chains.verified(act=chains.act("client:secret"), may_act={"sub": "client:secret"})
    shown = repr(token.delegation) + repr(token.delegation.actors) + repr(token.may_act)
    assert "secret" not in shown
    assert "depth=1" in shown
