"""Public keys in DER and PEM: an accepted key is the one that ``cryptography`` reads from the same bytes."""

from __future__ import annotations

import base64
from typing import Any

import mint
import mutations
import oracle
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww

Encoding, Form = serialization.Encoding, serialization.PublicFormat
NAMES = ("ed25519", "p256", "p384", "rsa")


def spki(name: str) -> bytes:
    return bytes(mint.private_key(name).public_key().public_bytes(Encoding.DER, Form.SubjectPublicKeyInfo))


PKCS1 = bytes(mint.private_key("rsa").public_key().public_bytes(Encoding.DER, Form.PKCS1))
ENCODINGS = (*map(spki, NAMES), PKCS1)


def integer(value: int, size: int = 0) -> str:
    return mint.b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def jwk_of(der: bytes) -> dict[str, Any] | None:
    """The key as ``cryptography`` reads it, written as a JWK; ``None`` if it reads none."""
    try:
        key = serialization.load_der_public_key(der)
    except Exception:
        return None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": mint.b64(key.public_bytes_raw())}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), (key.key_size + 7) // 8
        crv = {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
        return {"kty": "EC", "crv": crv, "x": integer(point.x, size), "y": integer(point.y, size)}
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e)}
    return None


def taken(der: bytes) -> ww.PublicKey | None:
    try:
        (key,) = ww.KeySet.from_der(der)
    except ww.KeySetError:
        return None
    return key


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    der = bytearray(draw(st.sampled_from(ENCODINGS)))
    for _ in range(draw(st.integers(0, 2))):
        # Most of the structure is in the first bytes.
        at = draw(st.one_of(st.integers(0, min(40, len(der) - 1)), st.integers(0, len(der) - 1)))
        how = draw(st.sampled_from(["bit", "byte", "insert", "delete", "cut", "append"]))
        byte = draw(st.integers(0, 255))
        if how == "bit":
            der[at] ^= 1 << byte % 8
        elif how == "byte":
            der[at] = byte
        elif how == "insert":
            der.insert(at, byte)
        elif how == "delete" and len(der) > 1:
            del der[at]
        elif how == "cut" and at:
            del der[at:]
        else:
            der.append(byte)
    return bytes(der)


@mutations.times(4)
@given(mutated())
def test_der(der: bytes) -> None:
    key = taken(der)
    if key is None:
        return
    jwk = jwk_of(der)
    assert jwk is not None, "nobody else reads a key here"
    assert key.thumbprint == ww.thumbprint(jwk)
    assert oracle.usable_keys([jwk]), "a key that is rejected as a JWK is rejected in every other form"


@pytest.mark.parametrize("der", ENCODINGS, ids=[*NAMES, "PKCS #1"])
def test_good_der(der: bytes) -> None:
    key, jwk = taken(der), jwk_of(der)
    assert key is not None
    assert jwk is not None
    assert key.thumbprint == ww.thumbprint(jwk)


@given(mutated(), st.sampled_from(["PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE", ""]))
def test_pem_is_der_in_an_envelope(der: bytes, label: str) -> None:
    lines = base64.b64encode(der).decode()
    wrapped = "\n".join(lines[start : start + 64] for start in range(0, len(lines), 64))
    pem = f"-----BEGIN {label}-----\n{wrapped}\n-----END {label}-----\n"
    try:
        (key,) = ww.KeySet.from_pem(pem)
    except ww.KeySetError:
        assert label not in ("PUBLIC KEY", "RSA PUBLIC KEY") or taken(der) is None
        return
    assert label in ("PUBLIC KEY", "RSA PUBLIC KEY")
    plain = taken(der)
    assert plain is not None
    assert key.thumbprint == plain.thumbprint


def test_parameters_that_do_not_belong_to_the_algorithm() -> None:
    good = spki("ed25519")
    with_null = b"\x30" + bytes([good[1] + 2]) + b"\x30\x07" + good[4:9] + b"\x05\x00" + good[9:]
    for der in (
        with_null,
        spki("rsa").replace(b"\x05\x00", b"\x04\x00", 1),
        spki("rsa").replace(b"\x05\x00", b"\x01\x00", 1),
    ):
        assert jwk_of(der) is None
        assert taken(der) is None
