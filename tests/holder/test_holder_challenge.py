"""Signed challenges: as servers verify them, and never what passes as something else."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
from typing import Any

import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from signers import EDDSA, ES256, Adapter

from watchword import base64url
from watchword.holder import ChallengeError, ChallengeSigner, KeyPair, ecdsa_from_der

#: 32 bytes.
NONCE = "a3f10b97" * 8
#: RFC 8032 section 7.1, test 3: a nonce of two bytes.
RFC_8032_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": base64url.encode(bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")),
    "d": base64url.encode(bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")),
}
RFC_8032_SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def verify(pair: KeyPair, raw: bytes, data: bytes) -> None:
    key = pair._key.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(raw, data, ec.ECDSA(hashes.SHA256()))
    else:
        key.verify(raw, data)


def test_rfc_8032() -> None:
    key = KeyPair.from_jwk(RFC_8032_KEY)
    assert ChallengeSigner(key).sign("af82") == RFC_8032_SIGNATURE
    signature = bytes.fromhex(RFC_8032_SIGNATURE)
    assert ChallengeSigner(key, output="base64").sign("AF82") == base64.b64encode(signature).decode()
    assert ChallengeSigner(key, output="base64url", nonce_encoding="base64url").sign("r4I") == base64url.encode(
        signature
    )


def test_ed25519_over_the_bytes_in_base64() -> None:
    signature = ChallengeSigner(EDDSA, output="base64").sign(NONCE)
    assert len(signature) == 88  # 64 bytes, with padding
    verify(EDDSA, base64.b64decode(signature, validate=True), bytes.fromhex(NONCE))


def test_p256_in_asn1_over_the_characters_in_hexadecimal_digits() -> None:
    signature = ChallengeSigner(ES256, nonce_encoding="utf-8", signature_format="der").sign(NONCE)
    assert re.fullmatch(r"30[0-9a-f]+", signature)
    verify(ES256, bytes.fromhex(signature), NONCE.encode())


@pytest.mark.parametrize("signer", [ES256, Adapter()], ids=["pair", "adapter"])
def test_both_forms(signer: Any) -> None:
    raw = bytes.fromhex(ChallengeSigner(signer).sign(NONCE))
    assert len(raw) == 64
    der = bytes.fromhex(ChallengeSigner(signer, signature_format="der").sign(NONCE))
    assert len(ecdsa_from_der(der)) == 64
    verify(ES256, der, bytes.fromhex(NONCE))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"nonce_encoding": "base64"}, "nonce_encoding"),
        ({"signature_format": "p1363"}, "signature_format"),
        ({"output": "bytes"}, "output"),
        ({"signer": EDDSA, "signature_format": "der"}, "EdDSA"),
    ],
)
def test_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChallengeSigner(**{"signer": ES256, **settings})


@pytest.mark.parametrize(
    ("encoding", "nonce"),
    [
        *(("hex", nonce) for nonce in ("", "abc", "xyz!", "a3 f1", "a3f1\n", "０１", "0x12", "00" * 257)),
        *(("base64url", nonce) for nonce in ("", "r4I=", "r4J", "r4 I", "+/+/", "é", "A" * 344)),
        *(("utf-8", nonce) for nonce in ("", "\ud800", "n" * 257, "é" * 129, "n" * 1_000_000)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_nonces_that_are_refused(encoding: Any, nonce: str) -> None:
    adapter = Adapter()
    signer = ChallengeSigner(adapter, nonce_encoding=encoding)
    with pytest.raises(ChallengeError, match="nonce") as caught:
        signer.sign(nonce)
    assert len(str(caught.value)) < 200
    assert nonce not in str(caught.value) or not nonce
    assert len(adapter.signed) == 1  # the probe


@pytest.mark.parametrize("nonce", [None, 7, b"00", ["00"]])
def test_nonces_that_are_no_text(nonce: Any) -> None:
    with pytest.raises(TypeError, match="nonce must be a string"):
        ChallengeSigner(ES256).sign(nonce)


@pytest.mark.parametrize(("encoding", "nonce"), [("hex", "00" * 256), ("utf-8", "n" * 256), ("base64url", "A" * 342)])
def test_the_longest_nonces(encoding: Any, nonce: str) -> None:
    assert ChallengeSigner(ES256, nonce_encoding=encoding).sign(nonce)


# A server that wants a token instead of a nonce.


def jws(header: bytes, payload: bytes = b'{"sub":"admin"}') -> bytes:
    return base64url.encode(header).encode() + b"." + base64url.encode(payload).encode()


DISGUISED = {
    "token": jws(b'{"alg":"ES256"}'),
    "eddsa": jws(b'{"alg":"EdDSA"}'),
    "proof": jws(json.dumps({"typ": "dpop+jwt", "alg": "ES256"}).encode()),
    "empty payload": jws(b'{"alg":"ES256"}', b""),
    "unencoded payload": base64url.encode(b'{"alg":"ES256","b64":false,"crit":["b64"]}').encode() + b".\x00\xff any",
    "white space": jws(b' \r\n\t{"alg":"ES256"}'),
    "byte order mark": jws(b'\xef\xbb\xbf{"alg":"ES256"}'),
    "utf-16": jws('{"alg":"ES256"}'.encode("utf-16")),
    "utf-16, big end first": jws('{"alg":"ES256"}'.encode("utf-16-be")),
    "escaped": jws(b'{"\\u0061lg":"ES256"}'),
    "padding": b"eyJhbGciOiJFUzI1NiJ9==." + b"e30",
    "junk that some decoders skip": b"\x00ey JhbGci\nOiJFUzI1NiJ9.e30",
    "unprotected header without alg": jws(b"{}"),
    "unprotected header": jws(b""),
    "unprotected header, empty payload": b".",
    "detached by two dots": b"eyJhbGciOiJFUzI1NiJ9..",
}


@pytest.mark.parametrize("name", DISGUISED)
@pytest.mark.parametrize("encoding", ["hex", "utf-8", "base64url"])
def test_a_token_is_not_signed(name: str, encoding: Any) -> None:
    data, adapter = DISGUISED[name], Adapter()
    signer = ChallengeSigner(adapter, nonce_encoding=encoding)
    if encoding == "utf-8" and not data.isascii():
        pytest.skip("these bytes are not UTF-8")
    nonce = {"hex": data.hex, "utf-8": lambda: data.decode("ascii"), "base64url": lambda: base64url.encode(data)}
    with pytest.raises(ChallengeError, match="JWS"):
        signer.sign(nonce[encoding]())
    assert len(adapter.signed) == 1  # the probe


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), st.binary(max_size=40))
def test_no_header_is_signed(extra: dict[str, str], payload: bytes) -> None:
    header = json.dumps({**extra, "alg": "ES256"}).encode()
    with pytest.raises(ChallengeError):
        ChallengeSigner(ES256).sign((base64url.encode(header).encode() + b"." + payload).hex())


@given(st.binary(min_size=1, max_size=64).filter(lambda nonce: b"." not in nonce))
def test_any_other_nonce_is_signed(nonce: bytes) -> None:
    verify(EDDSA, bytes.fromhex(ChallengeSigner(EDDSA).sign(nonce.hex())), nonce)


@pytest.mark.parametrize(
    "nonce", ["a.b", "a.b.c", "example.com", ".well-known/x", "3f0c.b6a1.77", "6ba7b810-9dad-11d1-80b4-00c04fd430c8.17"]
)
def test_dots_alone_are_no_token(nonce: str) -> None:
    assert ChallengeSigner(ES256, nonce_encoding="utf-8").sign(nonce)


def test_the_key_stays_inside() -> None:
    signer = ChallengeSigner(ES256)
    assert repr(signer) == (
        "ChallengeSigner(algorithm='ES256', nonce_encoding='hex', signature_format='raw', output='hex')"
    )
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays"):
            leave(signer)
