"""The pinned confirmation key: later requests of the same holder, and requests of others."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from paphwey_gateway import AGENT, AUDIENCE, DELEGATION_ID, Gateway

from watchword.dpop import DpopProver, MemoryReplayStore, Nonces, verify_proof
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.paphwey.verify import PinnedKey

URI = "https://merchant.example/orders"
KEY = PinnedKey(AGENT.jwk)


def code(proof: Any, key: PinnedKey = KEY, **changes: Any) -> str | None:
    try:
        key.verify_proof(proof, **{"method": "POST", "uri": URI, **changes})
    except PaphweyVerificationError as error:
        return error.code
    return None


def test_from_the_outcome_through_a_session_to_a_proof(gateway: Gateway) -> None:
    outcome = gateway.offline().verify(gateway.attest(), AUDIENCE, DELEGATION_ID)
    session = json.loads(json.dumps({"cnf_jwk": outcome.cnf_jwk}))
    key = PinnedKey(session["cnf_jwk"])
    assert key == KEY
    assert hash(key) == hash(KEY)
    assert key.jkt == AGENT.jkt
    proof = key.verify_proof(AGENT.proof("POST", URI), method="POST", uri=URI)
    assert (proof.jkt, proof.method) == (AGENT.jkt, "POST")


def test_a_proof_by_another_key() -> None:
    assert code(DpopProver("ES256").proof("POST", URI)) == "dpop_key_mismatch"
    assert code(DpopProver("EdDSA").proof("POST", URI)) == "dpop_key_mismatch"
    assert PinnedKey(DpopProver().jwk) != KEY
    assert AGENT.jkt != KEY


def test_what_a_proof_is_for() -> None:
    proof = AGENT.proof("POST", URI, access_token="token", nonce="n-1")
    assert code(proof, access_token="token", nonce="n-1") is None
    assert code(proof, method="GET") == "dpop_wrong_method"
    assert code(proof, uri="https://merchant.example/refunds") == "dpop_wrong_uri"
    assert code(proof, access_token="another") == "dpop_wrong_access_token"
    assert code(proof, nonce="n-2") == "dpop_wrong_nonce"
    assert code(AGENT.proof("POST", URI), nonce=Nonces(Nonces.new_key())) == "dpop_nonce_required"
    assert code(proof, now=1_000_000_000) == "dpop_issued_in_future"
    assert code(proof, now=4_000_000_000) == "dpop_expired"


@pytest.mark.parametrize("proof", ["", "a.b.c", "x" * 20_000, b"\xff", "\ud800", "a,b"])
def test_what_is_no_proof(proof: Any) -> None:
    assert str(code(proof)).startswith("dpop_")


def test_no_proof_at_all(gateway: Gateway) -> None:
    assert code(None) == "dpop_missing_proof"
    assert code(gateway.attest()) == "dpop_wrong_type"


def test_a_proof_is_used_once_with_a_replay_store() -> None:
    replay, proof = MemoryReplayStore(1, share_per_key=1), AGENT.proof("POST", URI)
    assert code(proof, replay=replay) is None
    assert code(proof, replay=replay) == "dpop_replayed"
    assert code(AGENT.proof("POST", URI), replay=replay) == "dpop_too_many_proofs"
    full = MemoryReplayStore(1, share_per_key=1)
    verify_proof(DpopProver().proof("POST", URI), method="POST", uri=URI, replay=full)
    with pytest.raises(PaphweyTransportError) as caught:
        KEY.verify_proof(AGENT.proof("POST", URI), method="POST", uri=URI, replay=full)
    assert caught.value.code == "dpop_replay_unavailable"


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {**AGENT.jwk, "d": "c2VjcmV0"},
        {**AGENT.jwk, "y": AGENT.jwk["x"]},
        {**AGENT.jwk, "use": "enc"},
        {"keys": [AGENT.jwk]},
        {"kty": "EC", "crv": "P-256", "x": float("nan"), "y": object()},
    ],
    ids=str,
)
def test_what_cannot_be_pinned(jwk: Any) -> None:
    with pytest.raises(PaphweyVerificationError) as caught:
        PinnedKey(jwk)
    assert caught.value.code == "invalid_confirmation_key"
    assert "c2VjcmV0" not in repr(caught.value) + str(caught.value)


def test_the_key_itself_is_public_and_travels() -> None:
    assert KEY.jwk == AGENT.jwk
    KEY.jwk.clear()
    assert KEY.jwk == AGENT.jwk, "what is given out is a copy"
    assert pickle.loads(pickle.dumps(KEY)) == KEY
    assert AGENT.jwk["x"] not in repr(KEY)
