"""Signatures that a lax verifier accepts: psychic, out of range, malleable, of the wrong length, of small order."""

from __future__ import annotations

import ed25519_math as ed
import mint
import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from paths import assert_verdict

from watchword import ErrorCode

BAD = ErrorCode.INVALID_SIGNATURE
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384_ORDER = int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)
P384_FIELD = 2**384 - 2**128 - 2**96 + 2**32 - 1
P256_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1


def good_signature(key: str, algorithm: str) -> bytes:
    return mint.unb64(mint.token(key=key, algorithm=algorithm).rpartition(".")[2])


def with_signature(signature: bytes, key: str = "p256", algorithm: str = "ES256") -> str:
    return mint.token(key=key, algorithm=algorithm, signature=signature)


#: Key, algorithm, bytes of a coordinate, order of the group, prime of the field.
CURVES = [
    ("p256", "ES256", 32, P256_ORDER, P256_FIELD),
    ("p384", "ES384", 48, P384_ORDER, P384_FIELD),
]


@pytest.mark.parametrize(("key", "algorithm", "size", "order", "field"), CURVES)
def test_psychic_signature_and_its_range(key: str, algorithm: str, size: int, order: int, field: int) -> None:
    largest = (1 << 8 * size) - 1
    edges = (0, 1, order - 1, order, order + 1, field, field + 1, largest)
    for r in edges:
        for s in edges:
            signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
            assert_verdict(with_signature(signature, key, algorithm), BAD, (edges.index(r), edges.index(s)))


@pytest.mark.parametrize(("key", "algorithm"), mint.SIGNERS)
def test_signature_of_zeros_ones_or_nothing(key: str, algorithm: str) -> None:
    length = len(good_signature(key, algorithm))
    for signature in (bytes(length), b"\xff" * length, b"", bytes(1), bytes(length - 1) + b"\x01"):
        assert_verdict(with_signature(signature, key, algorithm), BAD)


@pytest.mark.parametrize(("key", "algorithm", "half"), [("p256", "ES256", 32), ("p384", "ES384", 48)])
def test_ecdsa_signature_of_another_form(key: str, algorithm: str, half: int) -> None:
    order = P256_ORDER if key == "p256" else P384_ORDER
    # The message is the same each time, so every form is of a valid signature.
    signature = good_signature(key, algorithm)
    assert_verdict(with_signature(signature, key, algorithm), None)
    r, s = signature[:half], signature[half:]
    der = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    forms = {
        "DER": der,
        "a byte short": signature[:-1],
        "a byte long": signature + b"\x00",
        "a byte before": b"\x00" + signature,
        "halves with a zero octet before": b"\x00" + r + b"\x00" + s,
        "halves of 257 bytes": r.rjust(257, b"\x00") + s.rjust(257, b"\x00"),
        "r + n": (int.from_bytes(r, "big") + order).to_bytes(half + 1, "big") + s.rjust(half + 1, b"\x00"),
        "twice": signature + signature,
        "halves swapped": s + r,
        "little endian": r[::-1] + s[::-1],
        "P1363 in hex": signature.hex().encode(),
    }
    for name, form in forms.items():
        assert_verdict(with_signature(form, key, algorithm), BAD, name)


def test_ecdsa_second_signature_is_valid() -> None:
    # (r, n - s) verifies by FIPS 186-5. Nothing here identifies a token by its signature.
    for key, algorithm, size, order, _ in CURVES:
        signature = good_signature(key, algorithm)
        other = order - int.from_bytes(signature[size:], "big")
        assert_verdict(with_signature(signature[:size] + other.to_bytes(size, "big"), key, algorithm), None)


SEED = mint.unb64(mint.private_jwk("ed25519")["d"])
SECRET = ed.secret_scalar(SEED)
PUBLIC = mint.unb64(mint.public_jwk("ed25519")["x"])
MESSAGE = mint.token().rpartition(".")[0].encode()


def test_the_ed25519_arithmetic_of_this_test_is_correct() -> None:
    nonce = 12345
    signature = ed.sign_with(nonce, ed.encode(ed.times(nonce, ed.BASE)), SECRET, PUBLIC, MESSAGE)
    assert_verdict(with_signature(signature, "ed25519", "EdDSA"), None)


@pytest.mark.parametrize("multiple", [1, 2, 7, 15])
def test_ed25519_s_not_below_the_order(multiple: int) -> None:
    signature = good_signature("ed25519", "EdDSA")
    s = int.from_bytes(signature[32:], "little") + multiple * ed.L
    if s < 2**256:
        wide = signature[:32] + s.to_bytes(32, "little")
        assert_verdict(with_signature(wide, "ed25519", "EdDSA"), BAD)


@pytest.mark.parametrize("index", range(8))
def test_ed25519_small_order_r(index: int) -> None:
    """R = T of small order: S·B = R + k·A is true for the identity, and 8·S·B = 8·R + 8·k·A for all of them."""
    signature = ed.sign_with(0, ed.encode(ed.TORSION[index]), SECRET, PUBLIC, MESSAGE)
    assert_verdict(with_signature(signature, "ed25519", "EdDSA"), BAD)


@pytest.mark.parametrize("encoding", ed.NON_CANONICAL, ids=bytes.hex)
def test_ed25519_non_canonical_r(encoding: bytes) -> None:
    signature = ed.sign_with(0, encoding, SECRET, PUBLIC, MESSAGE)
    assert_verdict(with_signature(signature, "ed25519", "EdDSA"), BAD)


@pytest.mark.parametrize("index", range(1, 8))
def test_ed25519_r_with_a_torsion_component(index: int) -> None:
    """R = r·B + T: true with a cofactor, false without. The predicate has none."""
    nonce = 777
    r = ed.encode(ed.add(ed.times(nonce, ed.BASE), ed.TORSION[index]))
    signature = ed.sign_with(nonce, r, SECRET, PUBLIC, MESSAGE)
    assert_verdict(with_signature(signature, "ed25519", "EdDSA"), BAD)


@pytest.mark.parametrize("index", [1, 2, 4])
def test_ed25519_key_of_mixed_order(index: int) -> None:
    """A = a·B + T is a key that can be imported; its signatures are valid if and only if k·T vanishes."""
    order = {1: 8, 2: 4, 4: 2}[index]
    public = ed.encode(ed.add(ed.times(SECRET, ed.BASE), ed.TORSION[index]))
    keys = mint.jwks({"kty": "OKP", "crv": "Ed25519", "x": mint.b64(public), "kid": "ed25519"})
    r = ed.encode(ed.times(777, ed.BASE))
    seen = set()
    for attempt in range(64):
        payload = mint.claims(jti=str(attempt))
        message = mint.token(payload, signature=b"").rpartition(".")[0].encode()
        holds = ed.challenge(r, public, message) % order == 0
        if holds in seen:
            continue
        seen.add(holds)
        token = mint.token(payload, signature=ed.sign_with(777, r, SECRET, public, message))
        assert_verdict(token, None if holds else BAD, jwks=keys)
    assert seen == {True, False}


@pytest.mark.parametrize(("key", "algorithm"), [signer for signer in mint.SIGNERS if signer[0] == "rsa"])
def test_rsa_signature_of_another_number(key: str, algorithm: str) -> None:
    signature = good_signature(key, algorithm)
    modulus = mint.number(mint.public_jwk(key)["n"])
    value = int.from_bytes(signature, "big")
    forms = {
        "a byte long": b"\x00" + signature,
        "a byte short": signature[1:] if signature[0] == 0 else signature[:-1],
        "n": modulus.to_bytes(256, "big"),
        "n - 1": (modulus - 1).to_bytes(256, "big"),
        "s + n": (value + modulus).to_bytes(257, "big"),
        "1": (1).to_bytes(256, "big"),
        "n - s": (modulus - value).to_bytes(256, "big"),
    }
    for name, form in forms.items():
        assert_verdict(with_signature(form, key, algorithm), BAD, name)
