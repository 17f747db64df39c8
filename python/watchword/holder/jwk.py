"""Key pairs as JWKs: Ed25519 (RFC 8037) and P-256 (RFC 7518 section 6.2)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from watchword import base64url
from watchword._kernel import KeySet, decode_json_object

#: A private key of a kind that is supported.
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey

#: For each kind of key: the members that are numbers, each of 32 bytes, and the values of ``alg`` that agree with it.
_KINDS: dict[tuple[object, object], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("OKP", "Ed25519"): (("x", "d"), ("EdDSA", "Ed25519")),
    ("EC", "P-256"): (("x", "y", "d"), ("ES256",)),
}


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """Return the public key with the members of its thumbprint (RFC 7638 section 3.2) and no others."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (known,) = KeySet.from_der(public)
    return known.to_jwk()


def public_key(jwk: Mapping[str, str]) -> Ed25519PublicKey | EllipticCurvePublicKey:
    """Return the public key of a JWK that the kernel has validated."""
    x = base64url.decode(jwk["x"])
    if jwk["kty"] == "OKP":
        return Ed25519PublicKey.from_public_bytes(x)
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + base64url.decode(jwk["y"]))


def private_jwk(key: PrivateKey) -> dict[str, str]:
    """Return the key with its private member ``d``."""
    if isinstance(key, Ed25519PrivateKey):
        d = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    else:
        # RFC 7518 section 6.2.2.1: as long as the order, whatever its value.
        d = key.private_numbers().private_value.to_bytes(32, "big")
    return {**public_jwk(key), "d": base64url.encode(d)}


def read(document: str | bytes | Mapping[str, Any]) -> PrivateKey:
    """Return the private key of a JWK. Raises ``ValueError``, which quotes nothing of it, if it is anything else."""
    jwk = document if isinstance(document, Mapping) else _parsed(document)
    if "keys" in jwk:
        raise ValueError("the document is a JWK Set: give one JWK of it")
    kind = (jwk.get("kty"), jwk.get("crv"))
    if not all(isinstance(name, str) for name in kind) or kind not in _KINDS:
        raise ValueError("the JWK must be an Ed25519 key (kty OKP) or a P-256 key (kty EC)")
    members, algorithms = _KINDS[kind]
    numbers = {name: _number(jwk, name) for name in members}
    if "alg" in jwk and jwk["alg"] not in algorithms:
        raise ValueError(f"alg of the JWK must be {algorithms[0]}, as its key is {kind[1]}")
    if jwk.get("use", "sig") != "sig":
        raise ValueError("use of the JWK must be sig")
    operations = jwk.get("key_ops", ["sign"])
    if not isinstance(operations, (list, tuple)) or "sign" not in operations:
        raise ValueError("key_ops of the JWK must contain sign")
    key = _private_key(numbers["d"], is_ed25519="y" not in numbers)
    if any(jwk[name] != value for name, value in public_jwk(key).items()):
        raise ValueError("the public members of the JWK are not those of its private member d")
    return key


def _private_key(d: bytes, *, is_ed25519: bool) -> PrivateKey:
    if is_ed25519:
        return Ed25519PrivateKey.from_private_bytes(d)
    key = None
    with suppress(ValueError):
        key = derive_private_key(int.from_bytes(d, "big"), SECP256R1())
    if key is None:
        raise ValueError("d of the JWK is out of range: it must be from 1 to the order of P-256 minus 1")
    return key


def _parsed(document: str | bytes) -> dict[str, Any]:
    if not isinstance(document, (str, bytes)):
        raise TypeError(f"a JWK must be a mapping, str or bytes, not {type(document).__name__}")
    # What cannot be encoded is not JSON; the exception of a strict encoder would contain the key.
    return decode_json_object(document.encode("utf-8", "replace") if isinstance(document, str) else document)


def _number(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    data = b""
    if isinstance(value, str):
        with suppress(ValueError):
            data = base64url.decode(value)
    if len(data) != 32:
        missing = "has no private member d" if name == "d" and value is None else f"needs {name}"
        raise ValueError(f"the JWK {missing}: 32 bytes in base64url without padding")
    return data


__all__ = ["PrivateKey", "private_jwk", "public_jwk", "public_key", "read"]
