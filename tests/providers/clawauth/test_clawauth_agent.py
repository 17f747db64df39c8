"""The agent's key pair, challenges signed with it, and the exceptions."""

from __future__ import annotations

import copy
import os
import pickle
import re
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from clawauth_issuer import SERVICE
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given

import watchword as ww
from watchword.holder import KeyFileError, KeyPair, SignerError
from watchword.providers.clawauth import ClawAuth, ClawAuthAgent, exceptions

PAIR = ClawAuthAgent.generate_keypair()
#: As bytes, and as characters.
NONCE = "a3f1" * 16


def public_key() -> ec.EllipticCurvePublicKey:
    key = load_pem_public_key(PAIR["public_key"].encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def pem(key: Any, password: bytes | None = None) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_a_key_pair_is_p256_in_the_documented_forms() -> None:
    # RFC 5480: id-ecPublicKey, prime256v1, an uncompressed point.
    assert PAIR["public_key"].startswith("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE")
    assert PAIR["private_key"].startswith("-----BEGIN PRIVATE KEY-----\n")
    private = load_pem_private_key(PAIR["private_key"].encode(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert private.public_key() == public_key()
    assert ClawAuthAgent.generate_keypair()["private_key"] != PAIR["private_key"]


def test_the_public_key_is_one_that_tokens_can_be_verified_by() -> None:
    keys = ww.KeySet.from_pem(PAIR["public_key"])
    assert [key.algorithms for key in keys] == [("ES256",)]
    assert ClawAuth(SERVICE, "key", pem=PAIR["public_key"])


def test_an_agent_from_a_file_or_from_its_content(tmp_path: Path) -> None:
    path = tmp_path / "agent-key.pem"
    path.write_text(PAIR["private_key"])
    os.chmod(path, 0o600)
    agents = [
        ClawAuthAgent(agent_id="agent_1", private_key_path=str(path), base_url="https://api.clawauth.com"),
        ClawAuthAgent("agent_1", path),
        ClawAuthAgent(agent_id="agent_1", private_key=PAIR["private_key"].encode()),
        ClawAuthAgent(agent_id="agent_1", private_key=PAIR["private_key"]),
    ]
    for agent in agents:
        public_key().verify(bytes.fromhex(agent.sign_challenge(NONCE)), NONCE.encode(), ec.ECDSA(hashes.SHA256()))
        assert agent.agent_id == "agent_1"
        assert ww.thumbprint(pem=PAIR["public_key"]) in repr(agent)


def test_a_challenge_is_signed_as_in_the_documented_example() -> None:
    signature = ClawAuthAgent("agent_1", private_key=PAIR["private_key"]).sign_challenge(NONCE)
    # A SEQUENCE of two INTEGERs, in lower-case digits.
    assert re.fullmatch(r"30(4[4-8]|[0-3][0-9a-f])02[0-9a-f]+", signature)
    with pytest.raises(InvalidSignature):
        public_key().verify(bytes.fromhex(signature), bytes.fromhex(NONCE), ec.ECDSA(hashes.SHA256()))


def test_a_challenge_is_signed_by_the_other_reading_on_request() -> None:
    agent = ClawAuthAgent("a", private_key=PAIR["private_key"], signature_format="raw", nonce_encoding="hex")
    signature = bytes.fromhex(agent.sign_challenge(NONCE))
    assert len(signature) == 64
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public_key().verify(der, bytes.fromhex(NONCE), ec.ECDSA(hashes.SHA256()))


# At most 256 bytes, whatever the characters.
@given(st.text(min_size=1, max_size=64))
def test_any_nonce_is_signed_or_rejected(nonce: str) -> None:
    agent = ClawAuthAgent("a", private_key=PAIR["private_key"])
    try:
        data = nonce.encode()
    except UnicodeEncodeError:
        with pytest.raises(ValueError, match="nonce"):
            agent.sign_challenge(nonce)
    else:
        public_key().verify(bytes.fromhex(agent.sign_challenge(nonce)), data, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("nonce", ["", None, b"abc", "xyz"])
def test_what_is_no_nonce(nonce: Any) -> None:
    agent = ClawAuthAgent("a", private_key=PAIR["private_key"], nonce_encoding="hex")
    with pytest.raises((TypeError, ValueError), match="nonce"):
        agent.sign_challenge(nonce)


OTHER_KEYS = {
    "ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
    "p384": pem(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": pem(ec.generate_private_key(ec.SECP256K1())),
    "rsa": pem(rsa.generate_private_key(65537, 2048)),
    "with a password": pem(ec.generate_private_key(ec.SECP256R1()), b"password"),
    "public": PAIR["public_key"].encode(),
    "cut off": PAIR["private_key"][:100].encode(),
    "empty": b"",
    "not text": b"\xff\xfe",
    "surrogate": "\ud800",
}


@pytest.mark.parametrize("name", OTHER_KEYS)
def test_keys_that_agents_do_not_have(name: str) -> None:
    with pytest.raises(ValueError, match="P-256") as caught:
        ClawAuthAgent("agent_1", private_key=OTHER_KEYS[name])
    shown = str(caught.value) + repr(caught.value.__cause__)
    assert not any(line and line in shown for line in str(OTHER_KEYS[name]).splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"private_key": PAIR["private_key"], "private_key_path": "key.pem"},
        {"private_key": 7},
        {"agent_id": "", "private_key": PAIR["private_key"]},
        {"agent_id": None, "private_key": PAIR["private_key"]},
        {"private_key": PAIR["private_key"], "signature_format": "p1363"},
        {"private_key": PAIR["private_key"], "nonce_encoding": "base64"},
    ],
    ids="-".join,
)
def test_invalid_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        ClawAuthAgent(**{"agent_id": "agent_1", **arguments})
    assert "PRIVATE KEY" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        ClawAuthAgent("agent_1", private_key_path="/no/such/key.pem")


def test_a_file_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "agent-key.pem"
    path.write_text(PAIR["private_key"])
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ClawAuthAgent("agent_1", path)


def test_a_key_in_a_kms() -> None:
    pair = KeyPair.from_pem(PAIR["private_key"])

    class Kms:
        algorithm = "ES256"
        public_jwk = pair.public_jwk
        sign = staticmethod(pair.sign)

    signature = ClawAuthAgent("agent_1", private_key=Kms()).sign_challenge(NONCE)
    public_key().verify(bytes.fromhex(signature), NONCE.encode(), ec.ECDSA(hashes.SHA256()))
    Kms.sign = staticmethod(lambda data: pair.sign(data + b"."))
    with pytest.raises(SignerError):
        ClawAuthAgent("agent_1", private_key=Kms())


def test_a_nonce_that_is_a_token_is_not_signed() -> None:
    with pytest.raises(ValueError, match="JWS"):
        ClawAuthAgent("a", private_key=PAIR["private_key"]).sign_challenge("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0")


def test_the_private_key_is_not_shown_and_stays() -> None:
    agent = ClawAuthAgent("agent_1", private_key=PAIR["private_key"])
    body = PAIR["private_key"].splitlines()[1]
    assert body not in repr(agent) + repr(vars(agent))
    with pytest.raises(TypeError, match="pickled or copied"):
        pickle.dumps(agent)


# Exceptions.

CLASSES = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", CLASSES)
def test_each_exception_has_a_code_and_a_message_and_travels(kind: Any) -> None:
    assert issubclass(kind, exceptions.ClawAuthError)
    assert kind.__doc__
    assert kind().code
    assert kind().message
    error = kind("the server said no", code="no")
    for other in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), other.message, other.code) == (kind, "the server said no", "no")
    assert str(error) == "no: the server said no"
    assert "no" in repr(error)


def test_the_documented_exceptions_are_there() -> None:
    documented = {"ClawAuthError", "AuthenticationError", "InvalidSignatureError", "InsufficientPermissionsError"}
    assert set(exceptions.__all__) == documented | {"RateLimitError"}
