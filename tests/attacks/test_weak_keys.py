"""Keys are validated once, when loaded: a bad one is rejected and reported, and the others are kept."""

from __future__ import annotations

import functools
from typing import Any

import ed25519_math as ed
import mint
import pytest
from paths import Backend, assert_claims_verdict, assert_on_each_backend, assert_verdict, each_backend

import watchword as ww
from watchword import ErrorCode


def integer(value: int) -> str:
    return mint.b64(value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def rsa(modulus: int, exponent: int = 65537) -> mint.JWK:
    return {"kty": "RSA", "kid": "bad", "n": integer(modulus), "e": integer(exponent)}


def changed(key: str, **changes: Any) -> mint.JWK:
    return mint.public_jwk(key, **{"kid": "bad", **changes})


def reason(jwk: Any, backend: Backend = "default") -> str | None:
    """Return why a key is rejected, ``None`` if it is accepted; the good keys beside it must be accepted."""
    keys = ww.KeySet.from_json({"keys": [mint.public_jwk("ed25519"), jwk, mint.public_jwk("p256")]}, backend=backend)
    assert "ed25519" in keys
    assert "p256" in keys
    assert ww.verify(mint.token(), keys, ww.Policy(audience=mint.AUDIENCE), now=mint.NOW).key_id == "ed25519"
    if not keys.rejected:
        assert len(keys) == 3
        return None
    (rejected,) = keys.rejected
    assert (len(keys), rejected.index) == (2, 1)
    assert rejected.detail
    return rejected.reason


def assert_rejected(jwk: Any, expected: str) -> None:
    assert_on_each_backend(functools.partial(reason, jwk), expected)


def assert_accepted(jwk: Any) -> None:
    assert_on_each_backend(functools.partial(reason, jwk), None)


MODULUS = mint.number(mint.public_jwk("rsa")["n"])
#: A good modulus made longer. Nobody knows its factors, and nothing here needs them.
MODULUS_8192 = (1 << 8191) | (MODULUS << 3000) | MODULUS
MODULUS_8193 = (1 << 8192) | MODULUS

RSA_REJECTED: dict[str, tuple[mint.JWK, str]] = {
    "1024 bits": (changed("rsa-1024"), "modulus_too_small"),
    "2047 bits": (rsa(MODULUS >> 1 | 1), "modulus_too_small"),
    "8 bits": (rsa(251), "modulus_too_small"),
    "8193 bits": (rsa(MODULUS_8193), "modulus_too_large"),
    "16384 bits": (rsa(1 << 16383 | 1), "modulus_too_large"),
    "100,000 bits": (rsa(1 << 99_999 | 1), "modulus_too_large"),
    "even": (rsa(MODULUS - 1), "even_modulus"),
    "e = 1": (rsa(MODULUS, 1), "bad_exponent"),
    "e = 2": (rsa(MODULUS, 2), "bad_exponent"),
    "e = 65536": (rsa(MODULUS, 65536), "bad_exponent"),
    "e of 34 bits": (rsa(MODULUS, 2**33 + 1), "bad_exponent"),
    "e of 2048 bits": (rsa(MODULUS, MODULUS - 2), "bad_exponent"),
    "ROCA": (changed("rsa-roca"), "roca"),
    "1024 bits behind zeros": (changed("rsa", n=mint.b64(bytes(128) + (1 << 1023 | 1).to_bytes(128, "big"))),
                               "modulus_too_small"),
    "8193 bits behind zeros": (changed("rsa", n=mint.b64(bytes(9) + MODULUS_8193.to_bytes(1025, "big"))),
                               "modulus_too_large"),
    "e = 1 behind zeros": (changed("rsa", e=mint.b64(b"\x00\x00\x01")), "bad_exponent"),
    "n all zeros": (changed("rsa", n=mint.b64(bytes(256))), "malformed"),
    "e = 0": (changed("rsa", e=mint.b64(b"\x00")), "malformed"),
    "n empty": (changed("rsa", n=""), "malformed"),
    "e empty": (changed("rsa", e=""), "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", RSA_REJECTED)
def test_rsa_keys_that_are_rejected(name: str) -> None:
    assert_rejected(*RSA_REJECTED[name])


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param(rsa(MODULUS, 3), id="e = 3"),
        pytest.param(rsa(MODULUS, 17), id="e = 17"),
        pytest.param(rsa(MODULUS, 2**33 - 1), id="e of 33 bits"),
        pytest.param(rsa(1 << 2047 | 1), id="2048 bits"),
        pytest.param(rsa(1 << 4095 | MODULUS), id="4096 bits"),
    ],
)
def test_rsa_keys_at_the_edge(jwk: mint.JWK) -> None:
    assert_accepted(jwk)


def test_rsa_key_of_8192_bits() -> None:
    assert reason(rsa(MODULUS_8192)) is None
    # The implementation of the other backend supports at most 4096 bits, and reports that.
    assert reason(rsa(MODULUS_8192), "reference") == "unsupported_by_backend"


@pytest.mark.parametrize("key", ["rsa-roca", "rsa-1024"])
def test_weak_rsa_key_verifies_nothing(key: str) -> None:
    for algorithm in ("RS256", "PS256"):
        token = mint.token(key=key, algorithm=algorithm)
        assert_claims_verdict(token, ErrorCode.UNKNOWN_KEY, jwks=mint.jwks("ed25519", key))


def point(key: str, **changes: str) -> mint.JWK:
    return changed(key, **changes)


P256_X, P256_Y = mint.public_jwk("p256")["x"], mint.public_jwk("p256")["y"]
P384_X, P384_Y = mint.public_jwk("p384")["x"], mint.public_jwk("p384")["y"]
P256_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
ZERO = mint.b64(bytes(32))


def of_32(value: int) -> str:
    return mint.b64(value.to_bytes(32, "big"))


def flipped(text: str) -> str:
    raw = bytearray(mint.unb64(text))
    raw[-1] ^= 1
    return mint.b64(bytes(raw))


EC_REJECTED: dict[str, tuple[mint.JWK, str]] = {
    "y off the curve": (point("p256", y=flipped(P256_Y)), "point_not_on_curve"),
    "x off the curve": (point("p256", x=flipped(P256_X)), "point_not_on_curve"),
    "x and y swapped": (point("p256", x=P256_Y, y=P256_X), "point_not_on_curve"),
    "(0, 0)": (point("p256", x=ZERO, y=ZERO), "point_not_on_curve"),
    "x = p": (point("p256", x=of_32(P256_FIELD)), "point_not_on_curve"),
    "y beyond p": (point("p256", y=of_32(2**256 - 1)), "point_not_on_curve"),
    "P-384 off the curve": (point("p384", y=flipped(P384_Y)), "point_not_on_curve"),
    "secp256k1 point as P-256": (changed("secp256k1", crv="P-256"), "point_not_on_curve"),
    "P-256 coordinates as P-384": (point("p256", crv="P-384"), "malformed"),
    "P-384 coordinates as P-256": (point("p384", crv="P-256"), "malformed"),
    "x a byte short": (point("p256", x=mint.b64(mint.unb64(P256_X)[1:])), "malformed"),
    "y a byte long": (point("p256", y=mint.b64(b"\x00" + mint.unb64(P256_Y))), "malformed"),
    "x and y of unequal length": (
        point("p256", x=mint.b64(mint.unb64(P256_X) + b"\x00"), y=mint.b64(mint.unb64(P256_Y)[1:])), "malformed"),
    "x empty": (point("p256", x=""), "malformed"),
    "y missing": (changed("p256", y=mint.OMIT), "malformed"),
    "x padded": (point("p256", x=P256_X + "="), "malformed"),
    "P-521": (changed("p521"), "unsupported_curve"),
    "secp256k1": (changed("secp256k1"), "unsupported_curve"),
    "no such curve": (changed("p256", crv="P-257"), "unsupported_curve"),
    "P-256 in lower case": (changed("p256", crv="p-256"), "unsupported_curve"),
    "crv missing": (changed("p256", crv=mint.OMIT), "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", EC_REJECTED)
def test_es256_with_wrong_curve_or_off_curve_key(name: str) -> None:
    assert_rejected(*EC_REJECTED[name])


def ed25519(point: bytes) -> mint.JWK:
    return {"kty": "OKP", "crv": "Ed25519", "kid": "bad", "x": mint.b64(point)}


OKP_REJECTED: dict[str, tuple[mint.JWK, str]] = {
    **{f"small order {i}": (ed25519(ed.encode(point)), "small_order_point") for i, point in enumerate(ed.TORSION)},
    **{f"not canonical {i}": (ed25519(point), ed.defect_of(point) or "") for i, point in enumerate(ed.NON_CANONICAL)},
    "y = p + 3, of large order": (ed25519((ed.P + 3).to_bytes(32, "little")), "non_canonical_point"),
    "y = 2^255 - 1": (ed25519(b"\xff" * 31 + b"\x7f"), "non_canonical_point"),
    "y = 2, off the curve": (ed25519((2).to_bytes(32, "little")), "point_not_on_curve"),
    "31 bytes": (ed25519(bytes(31)), "malformed"),
    "33 bytes": (ed25519(bytes(33)), "malformed"),
    "empty": (ed25519(b""), "malformed"),
    "x missing": (changed("ed25519", x=mint.OMIT), "malformed"),
    "x a number": (changed("ed25519", x=9), "malformed"),
    "X25519": (changed("ed25519", crv="X25519"), "unsupported_curve"),
    "Ed448": ({"kty": "OKP", "crv": "Ed448", "kid": "bad", "x": mint.b64(bytes(57))}, "unsupported_curve"),
    "X448": ({"kty": "OKP", "crv": "X448", "kid": "bad", "x": mint.b64(bytes(56))}, "unsupported_curve"),
    "Ed25519 in EC": (changed("ed25519", kty="EC"), "unsupported_curve"),
    "P-256 in OKP": (changed("p256", kty="OKP"), "unsupported_curve"),
}  # fmt: skip


@pytest.mark.parametrize("name", OKP_REJECTED)
def test_ed25519_small_order_or_non_canonical_key(name: str) -> None:
    assert_rejected(*OKP_REJECTED[name])


MISUSED: dict[str, tuple[Any, str]] = {
    "use enc": (changed("rsa", use="enc"), "not_for_signatures"),
    "use unknown": (changed("rsa", use="SIG"), "not_for_signatures"),
    "use empty": (changed("rsa", use=""), "not_for_signatures"),
    "use x509-svid": (changed("rsa", use="x509-svid"), "not_for_signatures"),
    "use jwt-svid in upper case": (changed("rsa", use="JWT-SVID"), "not_for_signatures"),
    "use a list": (changed("rsa", use=["sig"]), "malformed"),
    "key_ops sign": (changed("p256", key_ops=["sign"]), "not_for_verification"),
    "key_ops empty": (changed("p256", key_ops=[]), "not_for_verification"),
    "key_ops encrypt": (changed("rsa", key_ops=["encrypt", "wrapKey"]), "not_for_verification"),
    "key_ops a string": (changed("p256", key_ops="verify"), "malformed"),
    "key_ops of numbers": (changed("p256", key_ops=["verify", 1]), "malformed"),
    "key_ops twice": (changed("p256", key_ops=["verify", "verify"]), "malformed"),
    "alg of another type": (changed("rsa", alg="ES256"), "algorithm_mismatch"),
    "alg of another curve": (changed("p256", alg="ES384"), "algorithm_mismatch"),
    "alg of Ed25519 on P-256": (changed("p256", alg="EdDSA"), "algorithm_mismatch"),
    "alg HS256": (changed("rsa", alg="HS256"), "algorithm_mismatch"),
    "alg none": (changed("ed25519", alg="none"), "algorithm_mismatch"),
    "alg for encryption": (changed("rsa", alg="RSA-OAEP"), "algorithm_mismatch"),
    "alg in lower case": (changed("rsa", alg="rs256"), "algorithm_mismatch"),
    "alg empty": (changed("rsa", alg=""), "algorithm_mismatch"),
    "alg a list": (changed("rsa", alg=["RS256"]), "malformed"),
    "private Ed25519": ({**mint.private_jwk("ed25519"), "kid": "bad"}, "private_key"),
    "private P-256": ({**mint.private_jwk("p256"), "kid": "bad"}, "private_key"),
    "private RSA": ({**mint.private_jwk("rsa"), "kid": "bad"}, "private_key"),
    "one private member": (changed("rsa", qi="AA"), "private_key"),
    "private member, false": (changed("rsa", d=False), "private_key"),
    "private member, empty": (changed("rsa", d=""), "private_key"),
    "more primes": (changed("rsa", oth=[]), "private_key"),
    "symmetric": ({"kty": "oct", "k": mint.b64(bytes(32)), "kid": "bad"}, "symmetric_key"),
    "symmetric with alg": ({"kty": "oct", "k": mint.b64(bytes(32)), "alg": "HS256", "kid": "bad"}, "symmetric_key"),
    "symmetric part of an EC key": (changed("p256", k=mint.b64(bytes(32))), "private_key"),
    "kty unknown": (changed("rsa", kty="AKP"), "unsupported_key_type"),
    "kty in lower case": (changed("rsa", kty="rsa"), "unsupported_key_type"),
    "kty missing": (changed("rsa", kty=mint.OMIT), "malformed"),
    "kty null": (changed("rsa", kty=None), "malformed"),
    "kid a number": (changed("rsa", kid=7), "malformed"),
    "crv null": (changed("p256", crv=None), "malformed"),
    "x null": (changed("ed25519", x=None), "malformed"),
    "n null": (changed("rsa", n=None), "malformed"),
    "e null": (changed("rsa", e=None), "malformed"),
    "empty object": ({}, "malformed"),
    "null": (None, "not_an_object"),
    "string": ("key", "not_an_object"),
    "array": ([changed("rsa")], "not_an_object"),
    "duplicate kid": (mint.public_jwk("ed25519-b", kid="ed25519"), "duplicate_kid"),
    "n with white space": (changed("rsa", n=mint.public_jwk("rsa")["n"] + "\n"), "malformed"),
    "n in the other alphabet": (changed("rsa", n="+/" * 171), "malformed"),
    "n a number": (changed("rsa", n=MODULUS >> 1990), "malformed"),
    "n missing": (changed("rsa", n=mint.OMIT), "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSED)
def test_key_use_key_ops_alg_mismatch_and_the_like(name: str) -> None:
    assert_rejected(*MISUSED[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "sig"},
        {"use": "jwt-svid"},
        {"key_ops": ["verify"]},
        {"use": None, "alg": None, "key_ops": None, "x5c": None, "x5t": None},
        {"kid": None},
        dict.fromkeys(("d", "p", "q", "dp", "dq", "qi", "oth", "k")),
        {"key_ops": ["sign", "verify"]},
        {"use": "sig", "key_ops": ["verify"]},
        {"x5c": ["MIIB"]},
        {"x5t": 1},
        {"ext": True},
        {"anything": {"n": [1]}},
    ],
)
def test_keys_that_may_verify(changes: dict[str, Any]) -> None:
    for key in ("ed25519-b", "p256-b", "p384", "rsa"):
        assert_accepted(changed(key, **changes))


@each_backend
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"n": mint.b64(b"\x00" + MODULUS.to_bytes(256, "big"))}, id="the sign of a Java BigInteger"),
        pytest.param({"n": mint.b64(bytes(300) + MODULUS.to_bytes(256, "big"))}, id="many zeros"),
        pytest.param({"e": "AAEAAQ"}, id="an exponent in four bytes"),
    ],
)
def test_an_rsa_key_with_leading_zeros_is_the_same_key(backend: Any, changes: dict[str, str]) -> None:
    jwk = mint.public_jwk("rsa", **changes)
    (key,) = ww.KeySet.from_json(jwk, backend=backend)
    token = mint.token(key="rsa", algorithm="RS256")
    keys = ww.KeySet.from_json({"keys": [jwk]}, backend=backend)
    assert ww.verify(token, keys, ww.Policy(audience=mint.AUDIENCE), now=mint.NOW).key_id == "rsa"
    assert key.bits == 2048
    assert key.thumbprint == ww.thumbprint(jwk) == ww.thumbprint(mint.public_jwk("rsa"))


def test_one_kid_for_several_algorithms() -> None:
    signers = [("ed25519", "EdDSA"), ("p256", "ES256"), ("p384", "ES384"), ("rsa", "RS256"), ("rsa", "PS512")]
    names = dict.fromkeys(name for name, _ in signers)
    keys = mint.jwks(*(mint.public_jwk(name, kid="one") for name in names))
    for name, algorithm in signers:
        header = mint.header("one", algorithm)
        assert_verdict(mint.token(head=header, key=name, algorithm=algorithm), None, algorithm, jwks=keys)
    # The header's algorithm selects one of the issuer's keys, and never makes a key usable with another algorithm.
    confused = mint.token(head=mint.header("one", "ES256"), key="rsa", algorithm="RS256")
    assert_verdict(confused, ErrorCode.INVALID_SIGNATURE, jwks=keys)
    without = mint.jwks(*(mint.public_jwk(name, kid="one") for name in ("ed25519", "p256")))
    unlisted = mint.token(head=mint.header("one", "RS256"), key="rsa", algorithm="RS256")
    assert_verdict(unlisted, ErrorCode.ALGORITHM_NOT_ALLOWED, jwks=without)


def test_of_a_repeated_kid_the_first_stays() -> None:
    keys = mint.jwks("ed25519", mint.public_jwk("ed25519-b", kid="ed25519"))
    assert_verdict(mint.token(), None, jwks=keys)
    forged = mint.token(head=mint.header("ed25519"), key="ed25519-b")
    assert_verdict(forged, ErrorCode.INVALID_SIGNATURE, jwks=keys)


def test_a_bad_key_does_not_keep_the_name_from_a_good_one() -> None:
    bad = mint.public_jwk("rsa-1024", kid="ed25519")
    assert_verdict(mint.token(), None, jwks=mint.jwks(bad, "ed25519"))
    assert_verdict(mint.token(), None, jwks=mint.jwks("ed25519", bad))
