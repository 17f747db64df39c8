"""Signers that are not key pairs: an adapter's mistakes are named, and its secrets stay out of errors."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from typing import Any

import mint
import pytest
from signers import EDDSA, ES256, OTHER, PAIRS, Adapter, sha256

import watchword as ww
from watchword.holder import ChallengeSigner, DpopProver, KeyPair, SignerError, check_signer, ecdsa_to_der

URI = "https://api.example/orders"
SECRET = "AKIA-secret-of-the-service"


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_proof_by_an_adapter_verifies(pair: KeyPair) -> None:
    adapter = Adapter(pair)
    prover = DpopProver(signer=adapter)
    assert (prover.algorithm, prover.jwk, prover.jkt) == (pair.algorithm, pair.public_jwk, pair.thumbprint)
    assert len(adapter.signed) == 1  # the probe
    proof = prover.proof("GET", URI, "the token")
    assert ww.dpop.verify_proof(proof, method="GET", uri=URI, access_token="the token").jkt == pair.thumbprint
    assert len(adapter.signed) == 2
    assert b"." not in adapter.signed[0]


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_proof_by_a_key_pair_verifies(pair: KeyPair) -> None:
    prover = DpopProver(pair.algorithm, signer=pair)
    assert ww.dpop.verify_proof(prover.proof("GET", URI), method="GET", uri=URI).jkt == pair.thumbprint


def test_a_checked_signer_signs_one_probe() -> None:
    adapter = Adapter()
    signer = check_signer(adapter)
    DpopProver(signer=signer)
    ChallengeSigner(signer)
    assert check_signer(signer) is signer
    assert len(adapter.signed) == 1
    assert check_signer(ES256) is ES256


def test_only_the_public_members_are_sent() -> None:
    jwk = {**ES256.public_jwk, "kid": "arn:aws:kms:key/1", "alg": "ES256", "use": "sig", "x-account": "7"}
    header = DpopProver(signer=Adapter(public_jwk=jwk)).proof("GET", URI).split(".")[0]
    assert json.loads(mint.unb64(header))["jwk"] == ES256.public_jwk


def test_other_types_of_bytes() -> None:
    for kind in (bytearray, memoryview):
        assert DpopProver(signer=Adapter(sign=lambda data, kind=kind: kind(ES256.sign(data)))).proof("GET", URI)


async def _asynchronous(data: bytes) -> bytes:
    return ES256.sign(data)


MISTAKES: dict[str, tuple[Adapter, str]] = {
    "der": (Adapter(sign=lambda data: ecdsa_to_der(ES256.sign(data))), "ecdsa_from_der"),
    "der of a double hash": (
        Adapter(sign=lambda data: ecdsa_to_der(ES256.sign(sha256(data)))),
        "hashed .* twice",
    ),
    "double hash": (Adapter(sign=lambda data: ES256.sign(sha256(data))), "hashed .* twice"),
    "another key": (Adapter(sign=OTHER.sign), "another key"),
    "der of another key": (Adapter(sign=lambda data: ecdsa_to_der(OTHER.sign(data))), r"7\d bytes|6\d bytes"),
    "another ed25519 key": (Adapter(EDDSA, KeyPair.generate("EdDSA").sign), "another key$"),
    "ed25519 hashed": (Adapter(EDDSA, lambda data: EDDSA.sign(sha256(data))), "another key$"),
    "little-endian": (Adapter(sign=lambda data: ES256.sign(data)[::-1]), "not valid"),
    "zeros": (Adapter(sign=lambda _: bytes(64)), "not valid"),
    "nothing": (Adapter(sign=lambda _: b""), "0 bytes"),
    "half": (Adapter(sign=lambda data: ES256.sign(data)[:32]), "32 bytes"),
    "p384": (Adapter(sign=lambda _: b"1" * 96), "96 bytes"),
    "hexadecimal": (Adapter(sign=lambda data: ES256.sign(data).hex()), "returned str"),
    "none": (Adapter(sign=lambda _: None), "returned NoneType"),
    "asynchronous": (Adapter(sign=_asynchronous), "returned coroutine"),
    "algorithm": (Adapter(algorithm="ECDSA_SHA_256"), "'ES256' or 'EdDSA'"),
    "no algorithm": (Adapter(algorithm=["ES256"]), "'ES256' or 'EdDSA'"),
    "algorithm of another key": (Adapter(algorithm="EdDSA"), "not a key for EdDSA"),
    "a private jwk": (Adapter(public_jwk=ES256.private_jwk()), "public_jwk .* private"),
    "a jwk set": (Adapter(public_jwk={"keys": [ES256.public_jwk]}), "public_jwk"),
    "der in the place of the jwk": (Adapter(public_jwk=b"0Y0\x13"), "public_jwk .* mapping"),
    "a point off the curve": (Adapter(public_jwk={**ES256.public_jwk, "y": ES256.public_jwk["x"]}), "public_jwk"),
    "an rsa key": (Adapter(public_jwk=mint.jwks("rsa")["keys"][0]), "not a key for ES256"),
    "not json": (Adapter(public_jwk={"kty": object()}), "public_jwk"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_adapters(name: str) -> None:
    adapter, message = MISTAKES[name]
    for make in (DpopProver, ChallengeSigner, check_signer):
        with pytest.raises(SignerError, match=message) as caught:
            make(signer=adapter)
        assert ES256.private_jwk()["d"] not in str(caught.value)


class ServiceError(Exception):
    """As a service's client raises it, with a secret in its text and its members."""

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.request = SECRET


class Failing(Adapter):
    failing = ""

    def sign(self, data: bytes) -> Any:
        if self.failing == "sign":
            raise ServiceError
        return super().sign(data)


def assert_silent(error: SignerError) -> None:
    assert "ServiceError" in str(error)
    assert SECRET not in repr(error) + repr(vars(error))
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_service_that_fails() -> None:
    adapter = Failing()
    prover = DpopProver(signer=adapter)
    challenges = ChallengeSigner(adapter)
    adapter.failing = "sign"
    for call in (lambda: prover.proof("GET", URI), lambda: challenges.sign("00"), lambda: DpopProver(signer=adapter)):
        with pytest.raises(SignerError) as caught:
            call()
        assert_silent(caught.value)
    adapter.failing = ""
    assert prover.proof("GET", URI)


@pytest.mark.parametrize("name", ["algorithm", "public_jwk"])
def test_properties_that_fail(name: str) -> None:
    def fail(_: object) -> None:
        raise ServiceError

    members = {"algorithm": "ES256", "public_jwk": ES256.public_jwk, "sign": ES256.sign, name: property(fail)}
    with pytest.raises(SignerError, match=name) as caught:
        DpopProver(signer=type("Failing", (), members)())
    assert_silent(caught.value)


def test_a_key_that_was_exchanged_behind_its_name() -> None:
    adapter = Adapter()
    prover = DpopProver(signer=adapter)
    adapter._sign = OTHER.sign
    with pytest.raises(SignerError, match="another key"):
        prover.proof("GET", URI)


def test_interrupts_pass() -> None:
    def interrupt(_: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DpopProver(signer=Adapter(sign=interrupt))


@pytest.mark.parametrize("value", [7, "key", ES256._key, KeyPair, Adapter, ES256.private_pem(), object()])
def test_what_is_no_signer(value: Any) -> None:
    with pytest.raises(TypeError, match="not a signer") as caught:
        DpopProver(signer=value)
    assert "PRIVATE KEY" not in str(caught.value)


def test_one_key_only() -> None:
    with pytest.raises(ValueError, match="one of"):
        DpopProver(signer=ES256, private_key=ES256.private_pem())
    with pytest.raises(ValueError, match="EdDSA"):
        DpopProver("EdDSA", signer=Adapter())


def test_many_threads_share_a_prover() -> None:
    prover, proofs = DpopProver(signer=Adapter()), []
    threads = [threading.Thread(target=lambda: proofs.append(prover.proof("GET", URI))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({ww.dpop.verify_proof(proof, method="GET", uri=URI).token_id for proof in proofs}) == 8


def test_a_slow_service_in_an_event_loop() -> None:
    async def main() -> str:
        prover = await asyncio.to_thread(DpopProver, signer=Adapter())
        return await asyncio.to_thread(prover.proof, "GET", URI)

    assert ww.dpop.verify_proof(asyncio.run(main()), method="GET", uri=URI)
