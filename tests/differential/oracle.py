"""A second implementation of the rules, with ``json`` and ``cryptography`` alone: it accepts or rejects, nothing else.

It is slow and says no more than yes or no; it shares no line with the kernel.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from typing import Any

import ed25519_math
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

LEEWAY = 5
LAST_SECOND = 253402300799
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ALGORITHMS = {
    "Ed25519": ("EdDSA", "Ed25519"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
}
SMALL_ORDER = {ed25519_math.encode(point) for point in ed25519_math.TORSION}


class RejectedError(Exception):
    """The oracle's only verdict but yes."""


def require(condition: object) -> None:
    if not condition:
        raise RejectedError


def accepts(token: str, jwks: list[Any], now: float, issuer: str, audience: str) -> bool:
    try:
        _verify(token, jwks, now, issuer, audience)
    except RejectedError:
        return False
    return True


def _verify(token: str, jwks: list[Any], now: float, issuer: str, audience: str) -> None:
    require(token.isascii() and len(token) <= 16384)
    parts = token.split(".")
    require(len(parts) == 3 and len(parts[0]) <= 4096)
    header_bytes, payload, signature = (unbase64(part) for part in parts)
    header = strict_json(header_bytes)
    require(isinstance(header.get("alg"), str))
    require(isinstance(header.get("kid", ""), str) and isinstance(header.get("typ", ""), str))
    require("crit" not in header and "b64" not in header)
    typ = header.get("typ", "JWT").lower()
    require(typ.removeprefix("application/") in {"jwt", "at+jwt"})
    keys = usable_keys(jwks)
    signed = f"{parts[0]}.{parts[1]}".encode()
    if "kid" in header and any(kid == header["kid"] for kid, _, _ in keys):
        chosen = [key for key in keys if key[0] == header["kid"]]
    else:
        chosen = [key for key in keys if "kid" not in header or key[0] is None]
    require(any(holds(header["alg"], algorithms, key, signed, signature) for _, algorithms, key in chosen))
    check_claims(strict_json(payload), now, issuer, audience)


def unbase64(text: str) -> bytes:
    require(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text)
    return data


def strict_json(document: bytes) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len({name for name, _ in pairs}) == len(pairs))
        return dict(pairs)

    def number(parse: Callable[[str], Any]) -> Callable[[str], Any]:
        def read(text: str) -> Any:
            require(len(text) <= 128 and math.isfinite(float(text)))
            return parse(text)

        return read

    def constant(_: str) -> None:
        raise RejectedError

    try:
        value = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=members,
            parse_int=number(int),
            parse_float=number(float),
            parse_constant=constant,
        )
    except (ValueError, RecursionError):
        raise RejectedError from None
    require(isinstance(value, dict))
    check_text_and_depth(value, 1)
    assert isinstance(value, dict)
    return value


def check_text_and_depth(value: Any, depth: int) -> None:
    if isinstance(value, str):
        require(not any("\ud800" <= character <= "\udfff" for character in value))
    elif isinstance(value, (list, dict)):
        require(depth <= 32)
        for item in value if isinstance(value, list) else [*value.keys(), *value.values()]:
            check_text_and_depth(item, depth + 1)


def usable_keys(jwks: list[Any]) -> list[tuple[str | None, tuple[str, ...], Any]]:
    usable: list[tuple[str | None, tuple[str, ...], Any]] = []
    for jwk in jwks:
        try:
            kid, algorithms, key = import_key(jwk)
        except RejectedError:
            continue
        if kid is None or all(kid != other or not {*algorithms} & {*others} for other, others, _ in usable):
            usable.append((kid, algorithms, key))
    return usable


def import_key(jwk: Any) -> tuple[str | None, tuple[str, ...], Any]:
    require(isinstance(jwk, dict))
    # An optional member that is null is as good as absent; one that a key cannot do without is not.
    jwk = {name: value for name, value in jwk.items() if value is not None}
    require(not jwk.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    require(jwk.get("use", "sig") in ("sig", "jwt-svid"))
    operations = jwk.get("key_ops", ["verify"])
    require(isinstance(operations, list) and all(isinstance(one, str) for one in operations))
    require("verify" in operations and len(set(operations)) == len(operations))
    require(isinstance(jwk.get("kid", ""), str))
    kind, key = public_key(jwk)
    algorithms = ALGORITHMS[kind]
    if "alg" in jwk:
        require(isinstance(jwk["alg"], str) and jwk["alg"] in algorithms)
        algorithms = (jwk["alg"],)
    return jwk.get("kid"), algorithms, key


def public_key(jwk: dict[str, Any]) -> tuple[str, Any]:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "OKP" and crv == "Ed25519":
        raw = unbase64(jwk.get("x", ""))
        require(len(raw) == 32 and ed25519_math.defect_of(raw) is None)
        return "Ed25519", (raw, ed25519.Ed25519PublicKey.from_public_bytes(raw))
    if kty == "EC" and crv in ("P-256", "P-384"):
        size, curve = (32, ec.SECP256R1()) if crv == "P-256" else (48, ec.SECP384R1())
        x, y = unbase64(jwk.get("x", "")), unbase64(jwk.get("y", ""))
        require(len(x) == len(y) == size)
        try:
            return crv, ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
        except ValueError:
            raise RejectedError from None
    require(kty == "RSA")
    n, e = unbase64(jwk.get("n", "")), unbase64(jwk.get("e", ""))
    modulus, exponent = int.from_bytes(n, "big"), int.from_bytes(e, "big")
    require(2048 <= modulus.bit_length() <= 8192 and modulus % 2)
    require(exponent > 1 and exponent % 2 and exponent.bit_length() <= 33)
    return "RSA", rsa.RSAPublicNumbers(exponent, modulus).public_key()


def holds(name: str, algorithms: tuple[str, ...], key: Any, signed: bytes, signature: bytes) -> bool:
    if name not in algorithms:
        return False
    try:
        if name in ("EdDSA", "Ed25519"):
            raw, public = key
            assert raw
            public.verify(signature, signed)
            return signature[:32] not in SMALL_ORDER
        digest = HASHES[name[2:]]
        if name.startswith("ES"):
            half = 32 if name == "ES256" else 48
            if len(signature) != 2 * half:
                return False
            r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(digest))
        elif name.startswith("PS"):
            key.verify(signature, signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        else:
            key.verify(signature, signed, padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_claims(claims: dict[str, Any], now: float, issuer: str, audience: str) -> None:
    for name in ("iss", "sub", "jti"):
        require(isinstance(claims.get(name, ""), str))
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name, 0)
        require(type(value) in (int, float) and 0 <= value <= LAST_SECOND)
    named = [claims["aud"]] if isinstance(claims.get("aud"), str) else claims.get("aud", [None])
    require((isinstance(named, list) and named and all(isinstance(one, str) for one in named)) or "aud" not in claims)
    scope = claims.get("scope", "")
    require(isinstance(scope, str) or (isinstance(scope, list) and all(isinstance(one, str) for one in scope)))
    bound = claims.get("cnf", {})
    require(
        isinstance(bound, dict) and isinstance(bound.get("jkt", ""), str) and isinstance(bound.get("jwk", {}), dict)
    )
    check_delegation(claims)
    require("exp" in claims and now < claims["exp"] + LEEWAY)
    require(now >= claims.get("nbf", 0) - LEEWAY and now >= claims.get("iat", 0) - LEEWAY)
    require(claims.get("iss") == issuer)
    require(audience in named)
    require("cnf" not in claims)


def check_delegation(claims: dict[str, Any]) -> None:
    """RFC 8693 sections 4.1 and 4.4: actors and possible actors are named, by identity claims only."""
    level: Any = claims
    while "act" in level:
        level = level["act"]
        require(isinstance(level, dict))
        name = [level["sub"]] if "sub" in level else [value for key, value in level.items() if key != "iss"]
        require(any(isinstance(one, str) and one for one in name))
        require(isinstance(level.get("iss", ""), str) and not {"aud", "exp", "iat", "nbf"} & set(level))
    if "may_act" in claims:
        may = claims["may_act"]
        require(
            isinstance(may, dict)
            and isinstance(may.get("iss", ""), str)
            and not {"aud", "exp", "iat", "nbf"} & set(may)
        )
        named = [may["sub"]] if isinstance(may.get("sub"), str) else may.get("sub", [])
        require(isinstance(named, list) and all(isinstance(one, str) and one for one in named))
