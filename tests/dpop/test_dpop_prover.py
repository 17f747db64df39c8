"""The client's side: our verifier and other libraries accept its proofs."""

from __future__ import annotations

import copy
import json
import pickle

import jwt
import mint
import proofs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from proofs import NOW

import watchword as ww
from watchword.dpop import DpopProver

ALGORITHMS = ("ES256", "EdDSA")


def _parts(text: str) -> tuple[dict[str, object], dict[str, object]]:
    head, payload, _ = text.split(".")
    return json.loads(mint.unb64(head)), json.loads(mint.unb64(payload))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_proof_verifies(algorithm: str) -> None:
    prover = DpopProver(algorithm)  # type: ignore[arg-type]
    text = prover.proof("GET", "https://api.example/orders?page=2#top", "the token", "n-1")
    proof = ww.dpop.verify_proof(
        text,
        method="GET",
        uri="https://api.example/orders?page=2",
        access_token="the token",
        expected_jkt=prover.jkt,
        nonce="n-1",
    )
    assert (proof.jkt, proof.jwk, proof.algorithm) == (prover.jkt, prover.jwk, algorithm)
    assert proof.uri == "https://api.example/orders"
    assert prover.jkt == ww.thumbprint(prover.jwk)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_proof_has_what_the_rfc_asks_for_and_no_more(algorithm: str) -> None:
    prover = DpopProver(algorithm, clock=lambda: NOW + 0.9)  # type: ignore[arg-type]
    head, claims = _parts(prover.proof("POST", "https://api.example/"))
    assert head == {"typ": "dpop+jwt", "alg": algorithm, "jwk": prover.jwk}
    assert set(prover.jwk) <= {"kty", "crv", "x", "y"}
    assert claims == {"jti": claims["jti"], "htm": "POST", "htu": "https://api.example/", "iat": NOW}
    # RFC 9449 section 4.2: at least 96 bits.
    assert len(mint.unb64(str(claims["jti"]))) == 16
    _, full = _parts(prover.proof("POST", "https://api.example/", "the token", "n"))
    assert (full["ath"], full["nonce"]) == (proofs.ath("the token"), "n")
    assert full["jti"] != claims["jti"]


# RFC 9864 has a newer name for it, which few servers know yet.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_others_verify_it_too(algorithm: str) -> None:
    prover = DpopProver(algorithm)  # type: ignore[arg-type]
    text = prover.proof("GET", "https://api.example/")
    assert jwt.decode(text, jwt.PyJWK({**prover.jwk, "alg": algorithm}), algorithms=[algorithm])["htm"] == "GET"
    registry = joserfc_jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    key = joserfc_jwk.import_key(prover.jwk)  # type: ignore[arg-type]
    assert joserfc_jws.deserialize_compact(text, key, registry=registry).payload


def test_a_key_of_ones_own() -> None:
    for key, algorithm in (
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    ):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        provers = [DpopProver(private_key=given) for given in (key, pem, pem.decode())]  # type: ignore[arg-type]
        assert len({prover.jkt for prover in provers}) == 1
        assert {prover.algorithm for prover in provers} == {algorithm}


def test_each_prover_has_a_key_of_its_own() -> None:
    assert DpopProver().algorithm == "ES256"
    assert DpopProver().jkt != DpopProver().jkt


def test_keys_that_are_no_good() -> None:
    with pytest.raises(ValueError):
        DpopProver("RS256")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        DpopProver("EdDSA", private_key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(TypeError):
        DpopProver(private_key=ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(TypeError):
        DpopProver(private_key=mint.private_key("rsa"))


def test_a_uri_must_be_one() -> None:
    with pytest.raises(ValueError, match="absolute"):
        DpopProver().proof("GET", "/orders")


def test_the_key_stays_inside() -> None:
    prover = DpopProver("EdDSA")
    assert repr(prover) == f"DpopProver(algorithm='EdDSA', jkt='{prover.jkt}')"
    for leave in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="stays"):
            leave(prover)
    prover.jwk["x"] = "changed"
    assert prover.jwk["x"] != "changed"


def test_a_token_that_cannot_be_encoded_is_not_quoted() -> None:
    with pytest.raises(ValueError, match="surrogate") as caught:
        DpopProver().proof("GET", "https://api.example/orders", "s3cret\ud800")
    assert "s3cret" not in repr((caught.value, caught.value.__context__))
