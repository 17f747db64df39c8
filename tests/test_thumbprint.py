"""Thumbprints (RFC 7638) and their URIs (RFC 9278): one for each key, in every form."""

from __future__ import annotations

import base64
import hashlib
import json
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from vectors_in_rfcs import RFC_7638_JWK, RFC_7638_THUMBPRINT, RFC_8037_JWK, RFC_8037_THUMBPRINT

import watchword as ww

PREFIX = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def expected(jwk: dict[str, str]) -> str:
    """RFC 7638 section 3, by the letter; every member given is a required one."""
    return encode(hashlib.sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest())


def elliptic(curve: ec.EllipticCurve, name: str, size: int) -> tuple[Any, dict[str, str]]:
    key = ec.generate_private_key(curve)
    point = key.public_key().public_numbers()
    return key, {"kty": "EC", "crv": name, "x": number(point.x, size), "y": number(point.y, size)}


def octets(kind: Any, name: str) -> tuple[Any, dict[str, str]]:
    key = kind.generate()
    return key, {"kty": "OKP", "crv": name, "x": encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}


def rsa_key(bits: int) -> tuple[Any, dict[str, str]]:
    key = rsa.generate_private_key(65537, bits)
    numbers = key.public_key().public_numbers()
    return key, {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}


KEYS = {
    "P-256": lambda: elliptic(ec.SECP256R1(), "P-256", 32),
    "P-384": lambda: elliptic(ec.SECP384R1(), "P-384", 48),
    "P-521": lambda: elliptic(ec.SECP521R1(), "P-521", 66),
    "secp256k1": lambda: elliptic(ec.SECP256K1(), "secp256k1", 32),
    "Ed25519": lambda: octets(ed25519.Ed25519PrivateKey, "Ed25519"),
    "Ed448": lambda: octets(ed448.Ed448PrivateKey, "Ed448"),
    "X25519": lambda: octets(x25519.X25519PrivateKey, "X25519"),
    "X448": lambda: octets(x448.X448PrivateKey, "X448"),
    # Too short to verify with, and named all the same: a thumbprint vouches for nothing.
    "RSA 1024": lambda: rsa_key(1024),
    "RSA 2048": lambda: rsa_key(2048),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_one_thumbprint_in_every_form(name: str) -> None:
    key, jwk = KEYS[name]()
    public = key.public_key()
    thumbprint = expected(jwk)
    pem, der = (public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo) for form in (Encoding.PEM, Encoding.DER))
    assert ww.thumbprint(jwk) == thumbprint
    assert ww.thumbprint({**jwk, "kid": "k1", "use": "enc", "alg": "none", "key_ops": []}) == thumbprint
    assert ww.thumbprint(json.dumps(jwk).encode()) == thumbprint
    assert ww.thumbprint(pem=pem) == ww.thumbprint(pem=pem.decode()) == ww.thumbprint(der=der) == thumbprint
    assert ww.thumbprint(pem=b"Bag Attributes\n" + pem + b"\nand a comment\n") == thumbprint
    if jwk["kty"] == "RSA":
        pkcs1 = [public.public_bytes(form, PublicFormat.PKCS1) for form in (Encoding.PEM, Encoding.DER)]
        assert ww.thumbprint(pem=pkcs1[0]) == ww.thumbprint(der=pkcs1[1]) == thumbprint
    assert ww.thumbprint_uri(jwk) == ww.thumbprint_uri(pem=pem) == ww.thumbprint_uri(der=der) == PREFIX + thumbprint


def test_leading_zeros_of_an_rsa_key_take_no_part() -> None:
    _, jwk = rsa_key(2048)
    longer = {**jwk, "n": encode(b"\x00\x00" + base64.urlsafe_b64decode(jwk["n"] + "==")), "e": "AAEAAQ"}
    assert ww.thumbprint(longer) == ww.thumbprint(jwk) == expected(jwk)
    # Of other keys, every byte is a part.
    octets_, longer_octets = ({"kty": "oct", "k": encode(key)} for key in (b"key", b"\x00key"))
    assert ww.thumbprint(longer_octets) == expected(longer_octets) != ww.thumbprint(octets_)
    for nothing in ({"n": "AAAA"}, {"e": "AA"}):
        with pytest.raises(ValueError, match="thumbprint"):
            ww.thumbprint({**jwk, **nothing})


def test_the_examples_of_the_rfcs() -> None:
    assert ww.thumbprint(RFC_7638_JWK) == RFC_7638_THUMBPRINT
    assert ww.thumbprint(RFC_8037_JWK) == RFC_8037_THUMBPRINT
    # RFC 9278 section 5
    assert ww.thumbprint_uri(RFC_7638_JWK) == PREFIX + "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_private_jwk_has_the_thumbprint_of_its_public_part() -> None:
    _, jwk = KEYS["P-256"]()
    assert ww.thumbprint({**jwk, "d": "AAAA"}) == expected(jwk)


def test_a_symmetric_key_has_one_though_nothing_is_verified_with_it() -> None:
    jwk = {"kty": "oct", "k": encode(b"shared secret")}
    assert ww.thumbprint(jwk) == expected(jwk)
    assert ww.thumbprint_uri(jwk) == PREFIX + expected(jwk)
    (rejected,) = ww.KeySet.from_json(jwk).rejected
    assert rejected.reason == "symmetric_key"


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=4))
def test_a_mapping_is_the_json_that_it_is_written_as(others: dict[str, str]) -> None:
    jwk = {**others, **RFC_8037_JWK}
    try:
        expected = ww.thumbprint(json.dumps(jwk))
    except ww.KeySetError:  # lone surrogates, which no JSON of ours has
        with pytest.raises(ww.KeySetError):
            ww.thumbprint(jwk)
    else:
        assert ww.thumbprint(jwk) == ww.thumbprint(MappingProxyType(jwk)) == expected == RFC_8037_THUMBPRINT


@pytest.mark.parametrize(
    "jwk",
    [
        {}, {"kty": "EC"}, {"kty": "AKP", "pub": "AAAA"}, {"kty": "oct"}, {"kty": "oct", "k": "A"},
        {"kty": "oct", "k": "AA=="}, {"kty": "OKP", "crv": 'Ed"25519', "x": "AAAA"}, {"kty": "RSA", "n": "AQAB"},
        {"kty": ["RSA"]}, "[]", "", b"\xff", '{"kty":"oct","kty":"oct","k":"AAAA"}',
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_not_a_jwk(jwk: Any) -> None:
    for function in (ww.thumbprint, ww.thumbprint_uri):
        with pytest.raises(ww.KeySetError):
            function(jwk)


def test_what_is_not_a_public_key_in_der_or_pem() -> None:
    key, _ = KEYS["P-256"]()
    signing, _ = KEYS["RSA 2048"]()
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    compressed = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    unknown = [
        ec.generate_private_key(ec.BrainpoolP256R1()).public_key(),
        dsa.generate_private_key(1024).public_key(),
    ]
    bad = [
        b"", b"\x30", b"\x00" * 64, spki[:-1], spki + b"\x00", spki.replace(spki[-65:], compressed), spki[::-1],
        signing.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        *(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for public in unknown),
    ]  # fmt: skip
    for der in bad:
        with pytest.raises(ww.KeySetError):
            ww.thumbprint(der=der)
        with pytest.raises(ww.KeySetError):
            ww.thumbprint_uri(der=der)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (
        b"",
        b"text",
        pem[:-10],
        private,
        pem + pem,
        spki,
        "\ud800",
        pem.replace(b"PUBLIC KEY", b"CERTIFICATE"),
    ):
        with pytest.raises(ww.KeySetError):
            ww.thumbprint(pem=text)


def test_exactly_one_key_is_given() -> None:
    key, jwk = KEYS["Ed25519"]()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    function: Any
    for function in (ww.thumbprint, ww.thumbprint_uri):
        for arguments in (
            {},
            {"jwk": jwk, "der": der},
            {"pem": "x", "der": der},
            {"der": "text"},
            {"pem": 7},
            {"jwk": 7},
        ):
            with pytest.raises(TypeError):
                function(**arguments)
