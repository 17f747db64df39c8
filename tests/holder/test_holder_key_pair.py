"""Key pairs: made, read, written, and never shown."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import traceback
from typing import Any

import hypothesis.strategies as st
import mint
import pytest
import vectors_in_rfcs as rfc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from signers import EDDSA, ES256, OTHER, PAIRS

import watchword as ww
from watchword import base64url
from watchword.holder import KeyPair, ecdsa_from_der, ecdsa_to_der

#: RFC 8037 appendix A.1 and RFC 7515 appendix A.3.1.
RFC_8037_PRIVATE = {**rfc.RFC_8037_JWK, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
RFC_7515_A3_PRIVATE = {**rfc.RFC_7515_A3_JWK, "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


def is_valid(pair: KeyPair, data: bytes, signature: bytes) -> bool:
    """By the package cryptography alone."""
    key = KeyPair.from_jwk(pair.private_jwk())._key.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

            key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, data)
    except Exception:
        return False
    return True


def pem_of(key: Any) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# The same key by every way.

private_keys = st.one_of(
    st.binary(min_size=32, max_size=32).map(ed25519.Ed25519PrivateKey.from_private_bytes),
    st.integers(1, ORDER - 1).map(lambda d: ec.derive_private_key(d, ec.SECP256R1())),
)


@given(private_keys, st.binary(max_size=200), st.none() | st.text(min_size=1, max_size=40) | st.binary(min_size=1))
@settings(max_examples=60)
def test_a_key_is_the_same_after_each_round_trip(key: Any, data: bytes, password: Any) -> None:
    pair = KeyPair(key)
    for again in (
        KeyPair.from_pem(pair.private_pem()),
        KeyPair.from_pem(pair.private_pem().encode()),
        KeyPair.from_pem(pair.private_pem(password), password),
        KeyPair.from_jwk(pair.private_jwk()),
        KeyPair.from_jwk(json.dumps(pair.private_jwk())),
        KeyPair.from_jwk(json.dumps(pair.private_jwk()).encode()),
    ):
        assert again.private_jwk() == pair.private_jwk()
        assert again.thumbprint == pair.thumbprint == ww.thumbprint(pair.public_jwk)
        assert is_valid(pair, data, again.sign(data))
    assert {name: value for name, value in pair.private_jwk().items() if name != "d"} == pair.public_jwk
    (public,) = ww.KeySet.from_pem(pair.public_pem)
    assert public.to_jwk() == pair.public_jwk


@given(st.integers(1, 2**64))
@settings(max_examples=30)
def test_small_numbers_keep_their_zeros(d: int) -> None:
    jwk = KeyPair(ec.derive_private_key(d, ec.SECP256R1())).private_jwk()
    assert {len(jwk[name]) for name in ("x", "y", "d")} == {43}


@each_pair
def test_its_signatures_are_those_of_jws(pair: KeyPair) -> None:
    header = base64url.encode(json.dumps({"alg": pair.algorithm}).encode())
    signing_input = f"{header}.{base64url.encode(b'payload')}"
    token = f"{signing_input}.{base64url.encode(pair.sign(signing_input.encode()))}"
    assert ww.verify_jws(token, ww.KeySet.from_json(pair.public_jwk)).payload == b"payload"


def test_generated_keys() -> None:
    assert KeyPair.generate().algorithm == KeyPair.generate("ES256").algorithm == "ES256"
    assert KeyPair.generate("EdDSA").algorithm == "EdDSA"
    assert KeyPair.generate().thumbprint != KeyPair.generate().thumbprint
    with pytest.raises(ValueError, match="RS256"):
        KeyPair.generate("RS256")  # type: ignore[arg-type]


# The examples of the RFCs.


def test_rfc_8037_a() -> None:
    pair = KeyPair.from_jwk(RFC_8037_PRIVATE)
    assert (pair.public_jwk, pair.thumbprint) == (rfc.RFC_8037_JWK, rfc.RFC_8037_THUMBPRINT)
    signing_input, _, signature = rfc.RFC_8037_JWS.rpartition(".")
    assert base64url.encode(pair.sign(signing_input.encode())) == signature


def test_rfc_7515_a3() -> None:
    pair = KeyPair.from_jwk(RFC_7515_A3_PRIVATE)
    assert pair.public_jwk == rfc.RFC_7515_A3_JWK
    signing_input, _, signature = rfc.RFC_7515_A3_JWS.rpartition(".")
    raw = base64url.decode(signature)
    assert is_valid(pair, signing_input.encode(), raw)
    own = f"{signing_input}.{base64url.encode(pair.sign(signing_input.encode()))}"
    assert ww.verify_jws(own, ww.KeySet.from_json(rfc.RFC_7515_A3_JWK)).payload == rfc.RFC_7515_A3_PAYLOAD
    # Appendix A.3.1 prints r and s.
    assert raw[:4] == bytes([14, 209, 33, 83])
    assert raw[32:36] == bytes([197, 10, 7, 211])
    assert ecdsa_from_der(ecdsa_to_der(raw)) == raw


# PEM of other tools, and what is none.


@pytest.mark.parametrize(
    "command",
    [
        "openssl genpkey -algorithm ed25519",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "openssl ecparam -name prime256v1 -genkey",  # parameters first, then SEC 1
        "openssl ecparam -name prime256v1 -genkey -noout",
    ],
)
def test_keys_of_openssl(command: str) -> None:
    made = subprocess.run(command.split(), capture_output=True, check=True).stdout
    pair = KeyPair.from_pem(made)
    assert is_valid(pair, b"data", pair.sign(b"data"))


def test_an_encrypted_key_of_openssl() -> None:
    encrypt = ["openssl", "pkcs8", "-topk8", "-passout", "pass:secret"]
    made = subprocess.run(encrypt, input=ES256.private_pem().encode(), capture_output=True, check=True).stdout
    assert KeyPair.from_pem(made, "secret").thumbprint == ES256.thumbprint


PEM = ES256.private_pem()
ENCRYPTED = ES256.private_pem("secret")
NO_PEM: dict[str, tuple[Any, Any, str]] = {
    "empty": ("", None, "0 private keys"),
    "public": (ES256.public_pem, None, "0 private keys"),
    "several": (PEM + EDDSA.private_pem(), None, "2 private keys"),
    "cut off": (PEM[:100], None, "malformed"),
    "damaged": (PEM.replace("MIG", "MIH"), None, "malformed"),
    "no password": (ENCRYPTED, None, "give its password"),
    "wrong password": (ENCRYPTED, "Secret", "password is wrong"),
    "empty password": (ENCRYPTED, "", "give its password"),
    "needless password": (PEM, "secret", "not encrypted"),
    "rsa": (pem_of(rsa.generate_private_key(65537, 2048)), None, "Ed25519 or P-256"),
    "p384": (pem_of(ec.generate_private_key(ec.SECP384R1())), None, "Ed25519 or P-256"),
    "secp256k1": (pem_of(ec.generate_private_key(ec.SECP256K1())), None, "Ed25519 or P-256"),
    "not text": (b"\xff\xfe", None, "0 private keys"),
}


@pytest.mark.parametrize("name", NO_PEM)
def test_what_is_no_key_in_pem(name: str) -> None:
    data, password, message = NO_PEM[name]
    with pytest.raises(ValueError, match=message) as caught:
        KeyPair.from_pem(data, password)
    assert_silent(caught.value, data, password)


def assert_silent(error: BaseException, *secrets: Any) -> None:
    """Nothing of the secrets is in the error, or in those that it knows."""
    chain = [error, error.__cause__, error.__context__]
    shown = "".join(f"{one}{one!r}{vars(one)}{one.args}" for one in chain if one is not None)
    shown += "".join(traceback.format_exception_only(error))
    for secret in secrets:
        text = secret.decode("latin-1") if isinstance(secret, bytes) else secret or ""
        for line in text.splitlines():
            if len(line) > 5 and not line.startswith("-----"):
                assert line not in shown


def test_a_surrogate_in_pem_reaches_no_error() -> None:
    try:
        KeyPair.from_pem(PEM + "\ud800")
    except ValueError as error:
        assert_silent(error, PEM.splitlines()[1])


@pytest.mark.parametrize("data", [None, 7, object(), bytearray(b"x")])
def test_what_is_no_text(data: Any) -> None:
    for read in (KeyPair.from_pem, KeyPair.from_jwk, KeyPair):
        with pytest.raises(TypeError):
            read(data)
    with pytest.raises(TypeError, match="password"):
        KeyPair.from_pem(ENCRYPTED, data) if data is not None else KeyPair.from_pem(ENCRYPTED, 7)  # type: ignore[arg-type]


def test_keys_of_other_kinds() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), mint.private_key("rsa"), ES256._key.public_key()):
        with pytest.raises(TypeError, match="P-256"):
            KeyPair(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["", b"", "x" * 1024])
def test_passwords_that_do_not_encrypt(password: Any) -> None:
    with pytest.raises(ValueError, match="1,023"):
        ES256.private_pem(password)


# JWKs that are almost keys.


def number(value: int) -> str:
    return base64url.encode(value.to_bytes(32, "big"))


EC_JWK, OKP_JWK = ES256.private_jwk(), EDDSA.private_jwk()
NO_JWK: dict[str, tuple[Any, str]] = {
    "public": (ES256.public_jwk, "no private member d"),
    "a set": ({"keys": [EC_JWK]}, "JWK Set"),
    "no x": ({**EC_JWK, "x": None}, "needs x"),
    "no y": ({name: value for name, value in EC_JWK.items() if name != "y"}, "needs y"),
    "okp without x": ({**OKP_JWK, "x": ""}, "needs x"),
    "another x": ({**EC_JWK, "x": OTHER.public_jwk["x"]}, "public members"),
    "another y": ({**EC_JWK, "y": OTHER.public_jwk["y"]}, "public members"),
    "another d": ({**EC_JWK, "d": OTHER.private_jwk()["d"]}, "public members"),
    "okp another d": ({**OKP_JWK, "d": EC_JWK["d"]}, "public members"),
    "d of zero": ({**EC_JWK, "d": number(0)}, "out of range"),
    "d of the order": ({**EC_JWK, "d": number(ORDER)}, "out of range"),
    "d too large": ({**EC_JWK, "d": number(2**256 - 1)}, "out of range"),
    "short d": ({**EC_JWK, "d": EC_JWK["d"][:-1]}, "needs d"),
    "long d": ({**EC_JWK, "d": base64url.encode(b"\0" + base64url.decode(EC_JWK["d"]))}, "needs d"),
    "padding": ({**EC_JWK, "d": EC_JWK["d"] + "="}, "needs d"),
    "white space": ({**EC_JWK, "d": EC_JWK["d"] + "\n"}, "needs d"),
    "not base64url": ({**EC_JWK, "d": "+" * 43}, "needs d"),
    "not ascii": ({**EC_JWK, "d": "é" * 43}, "needs d"),
    "d a number": ({**EC_JWK, "d": 7}, "needs d"),
    "kty": ({**EC_JWK, "kty": "OKP"}, "Ed25519 key"),
    "curve": ({**EC_JWK, "crv": "P-384"}, "P-256 key"),
    "curve a list": ({**EC_JWK, "crv": ["P-256"]}, "P-256 key"),
    "symmetric": ({"kty": "oct", "k": EC_JWK["d"]}, "P-256 key"),
    "nothing": ({}, "P-256 key"),
    "alg": ({**EC_JWK, "alg": "EdDSA"}, "alg .* must be ES256"),
    "use": ({**EC_JWK, "use": "enc"}, "use"),
    "key_ops": ({**EC_JWK, "key_ops": ["verify"]}, "key_ops"),
    "key_ops a string": ({**EC_JWK, "key_ops": "sign"}, "key_ops"),
    "repeated": (json.dumps(EC_JWK)[:-1] + ',"kty":"EC"}', "repeated"),
    "no json": (EC_JWK["d"], "JSON"),
    "surrogate": ('{"d":"' + EC_JWK["d"] + "\ud800", "JSON"),
    "nested": ("[" * 100_000, "nested"),
}


@pytest.mark.parametrize("name", NO_JWK)
def test_what_is_no_private_jwk(name: str) -> None:
    document, message = NO_JWK[name]
    with pytest.raises(ValueError, match=message) as caught:
        KeyPair.from_jwk(document)
    assert_silent(caught.value, EC_JWK["d"], OKP_JWK["d"])


def test_members_that_agree_and_unknown_ones() -> None:
    for given_jwk, alg in ((EC_JWK, "ES256"), (OKP_JWK, "EdDSA"), (OKP_JWK, "Ed25519")):
        extended = {**given_jwk, "alg": alg, "use": "sig", "key_ops": ["sign", "verify"], "kid": "1", "x-new": [1]}
        assert KeyPair.from_jwk(extended).private_jwk() == given_jwk


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d", "alg", "use", "key_ops"]), st.none() | st.text()))
def test_no_jwk_does_more_than_a_value_error(changes: dict[str, Any]) -> None:
    try:
        assert KeyPair.from_jwk({**EC_JWK, **changes}).public_jwk == ES256.public_jwk
    except ValueError as error:
        assert_silent(error, EC_JWK["d"])


@given(st.text())
def test_base64url_is_read_strictly(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


# Signatures in ASN.1.


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_the_forms_of_a_signature(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert ecdsa_from_der(ecdsa_to_der(raw)) == raw


@pytest.mark.parametrize(
    "der", ["", "30", "3006020101020101ff", "300602010102010100", "3007020100020200ff00", "30060201010201ff"]
)
def test_what_is_no_signature_in_asn1(der: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        ecdsa_from_der(bytes.fromhex(der))


def test_signatures_of_another_length() -> None:
    with pytest.raises(ValueError, match="256 bits"):
        ecdsa_from_der(ecdsa_to_der(b"\xff" * 96))
    assert ecdsa_from_der(ecdsa_to_der(b"\xff" * 96), size=48) == b"\xff" * 96
    for raw in (b"", b"123"):
        with pytest.raises(ValueError, match="same length"):
            ecdsa_to_der(raw)


# What is shown.


@each_pair
def test_the_private_key_is_not_shown_and_stays(pair: KeyPair) -> None:
    assert repr(pair) == f"KeyPair(algorithm={pair.algorithm!r}, thumbprint={pair.thumbprint!r})"
    assert pair.private_jwk()["d"] not in repr(vars(pair))
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays"):
            leave(pair)
    pair.public_jwk["x"] = "changed"
    assert pair.public_jwk["x"] != "changed"
