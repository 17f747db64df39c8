"""``validate``, offline: tokens of agents, chains of delegation, and other objects that the broker's key has signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import mint
import pytest
from agentwrit_tokens import (
    ADMIN,
    APP,
    ELSEWHERE,
    KEY_ID,
    LEAF,
    MIDDLE,
    NO_TASK,
    PEM,
    ROOT,
    TWO_HOPS,
    URL,
    broker,
    claims,
    delegated,
    hashed,
    record,
    token,
)

import watchword as ww
from watchword.providers.agentwrit import (
    TRUSTED_BROKERS,
    AgentClaims,
    Broker,
    DelegationRecord,
    TrustedBrokers,
    ValidateResult,
    scope_is_subset,
    trust_broker,
    validate,
)


def code_of(result: ValidateResult) -> str | None:
    """The code of a result, and that its members say one thing."""
    if result.valid:
        assert result.claims is not None
        assert (result.error, result.code) == (None, None)
        return None
    assert (result.claims, result.delegation) == (None, None)
    assert result.code is not None
    assert result.error is not None
    assert result.error.startswith(f"{result.code.value}: ")
    return result.code.value


def test_as_documented() -> None:
    trust_broker(broker())
    access_token = token()
    result = validate(URL, access_token)
    assert result.valid is True
    assert result.claims is not None
    assert result.claims.scope == ["read:data:*", "write:data:customer-1"]
    assert scope_is_subset(["read:data:customer-7291"], result.claims.scope) is True
    for other in (
        validate(URL + "/", access_token),
        validate(broker_url=URL, token=access_token, timeout=10.0),
        validate(broker(), access_token.encode()),
        broker().validate(access_token),
    ):
        assert other == result


def test_the_claims() -> None:
    result = broker().validate(token(claims(sid="session-1")))
    assert result.claims == AgentClaims(
        iss="",
        sub=ROOT,
        aud=[],
        exp=mint.NOW + 300,
        nbf=mint.NOW,
        iat=mint.NOW,
        jti="0123456789abcdef0123456789abcdef",
        scope=["read:data:*", "write:data:customer-1"],
        task_id="task-1",
        orch_id="my-service",
        sid="session-1",
        delegation_chain=None,
        chain_hash=None,
    )
    assert result.delegation is not None
    assert result.delegation.depth == 0


def test_brokers_that_are_no_brokers() -> None:
    with pytest.raises(ValueError, match="empty"):
        validate("/", token())
    with pytest.raises(TypeError):
        validate(None, token())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Broker"):
        trust_broker(URL)  # type: ignore[arg-type]


def test_a_broker_without_a_key_can_be_asked_about_the_present_only() -> None:
    for unknown in ("https://other.example", "https://broker.example:443", "http://broker.example"):
        with pytest.raises(ValueError, match="trust_broker"):
            validate(unknown, token(), now=mint.NOW)


def test_brokers_of_ones_own_are_kept_apart_and_can_be_removed() -> None:
    elsewhere, raw = URL + "/elsewhere", token()
    brokers = TrustedBrokers()
    brokers.add(Broker(elsewhere + "/", PEM, clock=lambda: mint.NOW))
    assert repr(brokers) == f"TrustedBrokers([{elsewhere!r}])"
    assert validate(elsewhere, raw, brokers=brokers).checked_by == "key"
    trust_broker(broker())
    assert (brokers.get(elsewhere) is not None, brokers.get(URL)) == (True, None)
    assert TRUSTED_BROKERS.get(elsewhere + "//") is None
    brokers.remove(elsewhere)
    assert brokers.get(elsewhere) is None
    with pytest.raises(ValueError, match="no trusted broker"):
        brokers.remove(elsewhere)


@pytest.mark.parametrize("wrong", [None, 5, ["a.b.c"], bytearray(b"a.b.c")])
def test_a_token_of_another_type_is_a_mistake(wrong: Any) -> None:
    with pytest.raises(TypeError):
        broker().validate(wrong)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"kid": mint.OMIT}, None),
        ({"kid": ""}, "unknown_key"),
        ({"kid": "another"}, "unknown_key"),
        ({"typ": mint.OMIT}, "wrong_type"),
        ({"typ": "at+jwt"}, "wrong_type"),
        ({"typ": "txntoken+jwt"}, "wrong_type"),
        ({"alg": "Ed25519"}, "algorithm_not_allowed"),
        ({"alg": "eddsa"}, "algorithm_not_allowed"),
        ({"alg": "none"}, "algorithm_not_allowed"),
        ({"alg": "ES256"}, "algorithm_not_allowed"),
        ({"crit": ["exp"]}, "unsupported_critical_header"),
    ],
)
def test_what_the_header_must_be(header: dict[str, Any], code: str | None) -> None:
    assert code_of(broker().validate(token(**header))) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *(({name: mint.OMIT}, "missing_claim") for name in ("exp", "nbf", "iat", "sub", "jti", "scope")),
        *(({name: mint.OMIT}, "wrong_type") for name in ("task_id", "orch_id")),
        ({"jti": ""}, "wrong_type"),
        ({"sub": "user:ada"}, "wrong_type"),
        ({"sub": "spiffe://agentwrit.local/agent/my-service/task-1"}, "wrong_type"),
        ({"sub": ROOT + "/more"}, "wrong_type"),
        ({"sub": ROOT.replace("/agent/", "/service/")}, "wrong_type"),
        ({"sub": ROOT.replace("spiffe:", "SPIFFE:")}, "wrong_type"),
        ({"sub": ROOT.replace("agentwrit.local", "agentwrit.local:443")}, "wrong_type"),
        ({"scope": "read:data:*"}, "wrong_type"),
        ({"task_id": "task-2"}, "malformed_claims"),
        ({"orch_id": "other-service"}, "malformed_claims"),
        ({"task_id": 5}, "wrong_type"),
        ({"exp": mint.NOW - 5}, "expired"),
        ({"exp": mint.NOW - 4}, None),
        ({"nbf": mint.NOW + 6}, "not_yet_valid"),
        ({"iat": mint.NOW + 6}, "issued_in_future"),
        ({"aud": ["https://api.example"]}, "wrong_audience"),
        ({"cnf": {"jkt": "x" * 43}}, "dpop_proof_required"),
        ({"chain_hash": hashed([])}, "delegation_malformed"),
        ({"delegation_chain": []}, "malformed_claims"),
        ({"delegation_chain": {}}, "delegation_malformed"),
        ({"sid": 5}, None),
    ],
)
def test_what_the_claims_must_be(changes: dict[str, Any], code: str | None) -> None:
    assert code_of(broker().validate(token(claims(**changes)))) == code


def test_requirements_of_the_caller() -> None:
    named = token(claims(iss="https://broker.example", aud=["https://api.example", "b"]))
    assert code_of(broker(audience=ww.ANY_AUDIENCE).validate(named)) is None
    assert code_of(broker(audience="https://api.example").validate(named)) is None
    assert code_of(broker(audience="c").validate(named)) == "wrong_audience"
    assert code_of(broker(audience="c").validate(token())) == "missing_claim"
    trusting = broker(issuer="https://broker.example", audience="b")
    assert code_of(trusting.validate(named)) is None
    result = trusting.validate(named)
    assert result.claims is not None
    assert (result.claims.iss, result.claims.aud) == ("https://broker.example", ["https://api.example", "b"])
    assert code_of(broker(issuer="https://broker.example").validate(token())) == "wrong_issuer"
    assert code_of(broker(trust_domain="agentwrit.local").validate(token())) is None
    assert code_of(broker(trust_domain="other.local").validate(token())) == "malformed_claims"
    late = token(claims(exp=mint.NOW))
    assert code_of(broker().validate(late)) is None
    assert code_of(broker(leeway=0).validate(late)) == "expired"
    assert code_of(broker(leeway=0).validate(late, now=mint.NOW - 1)) == "not_yet_valid"


# Kinds of tokens, which all are signed by one key.


@pytest.mark.parametrize(
    ("kind", "changes"), [("app_token", {**APP, **NO_TASK}), ("admin_token", {**ADMIN, **NO_TASK})]
)
def test_a_token_that_is_no_agents(kind: str, changes: dict[str, Any]) -> None:
    raw = token(claims(**changes))
    rejected = broker().validate(raw)
    assert code_of(rejected) == "wrong_type"
    assert kind.replace("_", " ") in str(rejected.error)
    taken = broker(accept=[kind]).validate(raw)
    assert code_of(taken) is None
    assert taken.claims is not None
    assert (taken.claims.sub, taken.claims.task_id, taken.claims.orch_id) == (changes["sub"], "", "")
    assert code_of(broker(accept=[kind]).validate(token())) == "wrong_type"


@pytest.mark.parametrize(
    "changes",
    [
        {**APP, "task_id": "task-1", "orch_id": "my-service"},
        {**APP, **NO_TASK, "scope": ["read:data:*"]},
        {**APP, **NO_TASK, "scope": []},
        {**ADMIN, **NO_TASK, "scope": ["app:agents:*"]},
        {**ADMIN, **NO_TASK, "sub": "administrator"},
        {**APP, **NO_TASK, "sub": "App:app-1"},
        {**NO_TASK},
    ],
)
def test_a_token_that_is_of_no_kind(changes: dict[str, Any]) -> None:
    every = broker(accept=["agent_token", "delegated_agent_token", "app_token", "admin_token"])
    assert code_of(every.validate(token(claims(**changes)))) == "wrong_type"


def test_delegated_tokens_may_be_rejected() -> None:
    direct_only = broker(accept=["agent_token"])
    assert code_of(direct_only.validate(token())) is None
    assert code_of(direct_only.validate(token(delegated(*TWO_HOPS)))) == "wrong_type"


# Chains.


def test_a_delegated_token() -> None:
    result = broker().validate(token(delegated(*TWO_HOPS)))
    assert code_of(result) is None
    assert result.claims is not None
    assert result.claims.sub == LEAF
    assert result.claims.delegation_chain == [
        DelegationRecord(one["agent"], one["scope"], one["delegated_at"], one["signature"]) for one in TWO_HOPS
    ]
    assert result.claims.chain_hash == hashed(list(TWO_HOPS))
    chain = result.delegation
    assert chain is not None
    assert (chain.subject, [actor.subject for actor in chain.actors]) == (ROOT, [LEAF, MIDDLE])
    with pytest.raises(ww.ActorNotAllowedError):
        chain.check(allowed_actors=[LEAF])


def test_authority_may_be_handed_to_another_task() -> None:
    # The task of a delegated token is that of the agent whose authority it is, not that of whom it was handed to.
    assert code_of(broker().validate(token(delegated(TWO_HOPS[0], sub=ELSEWHERE)))) is None
    assert (
        code_of(
            broker().validate(token(delegated(TWO_HOPS[0], sub=ELSEWHERE, task_id="task-9", orch_id="other-service")))
        )
        == "malformed_claims"
    )


def spoilt(place: int = 0, **changes: Any) -> list[dict[str, Any]]:
    records = [dict(one) for one in TWO_HOPS]
    records[place].update(changes)
    return records


CHAINS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a record left out": (
        lambda: delegated(TWO_HOPS[0], chain_hash=hashed(list(TWO_HOPS))),
        "delegation_hash_mismatch",
    ),
    "no hash": (lambda: delegated(*TWO_HOPS, chain_hash=mint.OMIT), "delegation_malformed"),
    "a record changed": (
        lambda: delegated(*spoilt(agent=ELSEWHERE), chain_hash=hashed(list(TWO_HOPS))),
        "delegation_hash_mismatch",
    ),
    "a record changed, and hashed again": (lambda: delegated(*spoilt(agent=ELSEWHERE)), "delegation_invalid_signature"),
    "scopes of a record widened, and hashed again": (
        lambda: delegated(*spoilt(scope=["read:data:*", "write:data:*"])),
        "delegation_invalid_signature",
    ),
    "no signature": (lambda: delegated(*spoilt(signature="")), "delegation_invalid_signature"),
    "a signature by another key": (
        lambda: delegated(*spoilt(signature=mint.sign("EdDSA", "ed25519-b", b"x").hex())),
        "delegation_invalid_signature",
    ),
    "the token widened": (lambda: delegated(*TWO_HOPS, scope=["write:data:a"]), "delegation_scope_widened"),
    "a record widened": (
        lambda: delegated(record(ROOT, ["read:data:a"]), record(MIDDLE, ["read:data:*"])),
        "delegation_scope_widened",
    ),
    "six hops": (lambda: delegated(*[record(ROOT, ["read:data:*"])] * 6), "delegation_too_deep"),
    "somebody who is no agent": (
        lambda: delegated(record("user:ada", ["read:data:*"])),
        "malformed_claims",
    ),
    "an agent of another trust domain": (
        lambda: delegated(TWO_HOPS[0], record(MIDDLE.replace("agentwrit.local", "evil.example"), ["read:data:*"])),
        "malformed_claims",
    ),
    "a record that is no object": (lambda: delegated(*TWO_HOPS, delegation_chain=["x"]), "delegation_malformed"),
    "a record without its agent": (
        lambda: delegated({name: value for name, value in TWO_HOPS[0].items() if name != "agent"}),
        "delegation_malformed",
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_that_is_not_whole(name: str) -> None:
    make, code = CHAINS[name]
    assert code_of(broker().validate(token(make()))) == code


def test_how_often_authority_may_be_handed_on() -> None:
    five = delegated(*[record(ROOT, ["read:data:*"])] * 5)
    assert code_of(broker().validate(token(five))) is None
    assert code_of(broker(max_depth=4).validate(token(five))) == "delegation_too_deep"
    assert code_of(broker(max_depth=6).validate(token(delegated(*[record(ROOT, ["read:data:*"])] * 6)))) is None


# Keys.


def test_every_form_of_the_key() -> None:
    jwk = mint.public_jwk("ed25519", kid=KEY_ID)
    forms: list[Any] = [
        PEM,
        PEM.decode(),
        "\n" + PEM.decode(),
        jwk,
        json.dumps(jwk),
        {"keys": [mint.public_jwk("p256"), jwk]},
        json.dumps({"keys": [jwk]}).encode(),
        ww.KeySet.from_json(jwk),
        ww.KeySet.from_json({"keys": [jwk]}, backend="reference"),
        ww.KeySet.from_pem(PEM),
    ]
    for form in forms:
        made = Broker(URL, form, clock=lambda: mint.NOW)
        assert code_of(made.validate(token())) is None
        assert code_of(made.validate(token(delegated(*TWO_HOPS)))) is None
        assert code_of(made.validate(token(key="ed25519-b"))) == "invalid_signature"
        assert repr(made).startswith(f"Broker({URL!r}, ")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (mint.public_jwk("p256"), "Ed25519"),
        (mint.public_jwk("rsa"), "Ed25519"),
        (mint.private_jwk("ed25519"), "Ed25519"),
        ({"keys": []}, "Ed25519"),
        ("no key at all", "JWK Set"),
        (b"\xff\xfe", "JWK Set"),
        ('{"kty":"OKP","kty":"EC"}', "JWK Set|twice|JSON"),
    ],
)
def test_a_key_that_is_none(key: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Broker(URL, key)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"accept": []}, ValueError),
        ({"accept": "agent_token"}, ValueError),
        ({"accept": ["access_token"]}, ValueError),
        ({"leeway": -1}, ValueError),
        ({"public_key": 5}, TypeError),
        ({"audience": 5}, TypeError),
        ({"token_cache": {}}, TypeError),
    ],
)
def test_invalid_settings(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        broker(**options)


def test_a_broker_takes_the_place_of_an_earlier_one() -> None:
    trust_broker(broker(leeway=0))
    late = token(claims(exp=mint.NOW))
    assert validate(URL, late).valid is False
    trust_broker(broker())
    assert validate(URL, late).valid is True


def test_a_token_cache_keeps_what_was_verified_and_no_more() -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    remembering = broker(token_cache=cache)
    raw = token(delegated(*TWO_HOPS))
    first = remembering.validate(raw)
    assert remembering.validate(raw) == first
    assert first.valid is True
    assert cache.stats().hits == 1
    assert code_of(remembering.validate(raw, now=mint.NOW + 600)) == "expired"
    # Another broker has its own requirements, and its own keys.
    assert code_of(broker(token_cache=cache, max_depth=1).validate(raw)) == "delegation_too_deep"
    assert code_of(broker(token_cache=cache, public_key=mint.public_jwk("ed25519-b", kid=KEY_ID)).validate(raw)) == (
        "invalid_signature"
    )
