"""How the kernel and other libraries differ on the same token, each with its reason. Data: a difference that no
entry explains fails the test, and so does an entry that is wrong about its codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mint
import oracle

from watchword import ErrorCode

C = ErrorCode


class Seen:
    """What a lenient reader sees in a token."""

    def __init__(self, token: str) -> None:
        self.parts = token.split(".")
        self.header_bytes, self.payload = (_loose(part) for part in self.parts[:2])
        self.header, self.claims = (_object(document) for document in (self.header_bytes, self.payload))


def _loose(part: str) -> bytes:
    try:
        return mint.unb64(part.rstrip("="))
    except ValueError:
        return b""


def _object(document: bytes) -> dict[str, Any]:
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _rejects(check: Callable[[Any], object], value: Any) -> bool:
    try:
        check(value)
    except oracle.RejectedError:
        return True
    return False


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= oracle.LAST_SECOND


def _is_text_or_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _is_confirmation(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    if "x5t#S256" in value and not _is_sha256(value["x5t#S256"]):
        return False
    return isinstance(value.get("jkt", ""), str) and isinstance(value.get("jwk", {}), dict)


def _is_sha256(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9_-]{43}", value):
        return False
    # The last of its characters has two bits that are not used.
    return value[-1] in "AEIMQUYcgkosw048"


def _cnf(seen: Any) -> dict[str, Any]:
    cnf: dict[str, Any] = seen.claims.get("cnf", {})
    return cnf


@dataclass(frozen=True)
class Difference:
    reason: str
    peers: frozenset[str]
    code: ErrorCode | None
    """The kernel's verdict; ``None`` if the kernel accepts and the peer does not."""
    applies: Callable[[Seen], bool]


BOTH = frozenset({"PyJWT", "joserfc"})
PYJWT = frozenset({"PyJWT"})
JOSERFC = frozenset({"joserfc"})

#: The peer accepts, the kernel rejects.
STRICTER = (
    Difference(
        "RFC 7515 section 2: base64url has no padding, no white space, no unused bits, and one alphabet",
        PYJWT, C.MALFORMED_TOKEN, lambda seen: any(_rejects(oracle.unbase64, part) for part in seen.parts),
    ),
    Difference(
        "RFC 7515 section 4: the header is strict JSON without repeated members, NaN or lone surrogates",
        BOTH, C.MALFORMED_HEADER, lambda seen: _rejects(oracle.strict_json, seen.header_bytes),
    ),
    Difference(
        "RFC 7515 section 4.1.9: typ is a string",
        PYJWT, C.MALFORMED_HEADER, lambda seen: not isinstance(seen.header.get("typ", ""), str),
    ),
    Difference(
        "RFC 7797 section 6: b64 changes what is signed, and is rejected named critical or not",
        BOTH, C.UNSUPPORTED_CRITICAL_HEADER, lambda seen: "b64" in seen.header,
    ),
    Difference(
        "RFC 7515 section 4.1.11: an empty crit is an error",
        JOSERFC, C.UNSUPPORTED_CRITICAL_HEADER, lambda seen: seen.header.get("crit") == [],
    ),
    Difference(
        "RFC 8725 section 3.11: a token of another type is not taken for an access token",
        BOTH, C.WRONG_TYPE, lambda seen: str(seen.header.get("typ")).lower() not in {"jwt", "at+jwt"},
    ),
    Difference(
        "RFC 7519 section 4: the claims are strict JSON without repeated members, NaN or lone surrogates",
        BOTH, C.MALFORMED_CLAIMS, lambda seen: _rejects(oracle.strict_json, seen.payload),
    ),
    Difference(
        "RFC 7519 section 2: a NumericDate is a number; none is negative, and none lies beyond the year 9999",
        BOTH, C.MALFORMED_CLAIMS,
        lambda seen: any(not _is_time(seen.claims.get(name, 0)) for name in ("exp", "nbf", "iat")),
    ),
    Difference(
        "RFC 8693 section 4.2: scope is a string (or, of some issuers, strings)",
        BOTH, C.MALFORMED_CLAIMS, lambda seen: not _is_text_or_texts(seen.claims.get("scope", "")),
    ),
    Difference(
        "RFC 7800 section 3.1: cnf is an object",
        BOTH, C.MALFORMED_CLAIMS, lambda seen: "cnf" in seen.claims and not _is_confirmation(seen.claims["cnf"]),
    ),
    Difference(
        "RFC 8693 section 4: who acts, and who may, are named by objects, and by nothing that identifies nobody",
        BOTH, C.MALFORMED_CLAIMS, lambda seen: _rejects(oracle.check_delegation, seen.claims),
    ),
    Difference(
        "RFC 7800 section 3: a confirmation method that is not understood is not passed over",
        BOTH, C.UNSUPPORTED, lambda seen: not {"jkt", "jwk", "x5t#S256"}.issuperset(_cnf(seen)),
    ),
    Difference(
        "RFC 8705 section 3: a token that is bound to a certificate is no bearer token",
        BOTH, C.CERTIFICATE_REQUIRED, lambda seen: "x5t#S256" in _cnf(seen),
    ),
    Difference(
        "RFC 9449 section 7.1: a bound token is no bearer token",
        BOTH, C.DPOP_PROOF_REQUIRED, lambda seen: not {"jkt", "jwk"}.isdisjoint(_cnf(seen)),
    ),
)  # fmt: skip

#: The kernel accepts, the peer rejects.
LAXER = (
    Difference(
        "PyJWT does not know the fully specified name of RFC 9864",
        PYJWT, None, lambda seen: seen.header.get("alg") == "Ed25519",
    ),
    Difference(
        "joserfc checks header members that are not used for verification here: the kernel never reads them",
        JOSERFC, None, lambda seen: not {"jku", "jwk", "x5u", "x5c", "cty", "zip", "x5t",
                                         "x5t#S256"}.isdisjoint(seen.header),
    ),
    Difference(
        "PyJWT cuts the fraction off a NumericDate",
        PYJWT, None, lambda seen: any(isinstance(seen.claims.get(name), float) for name in ("exp", "nbf", "iat")),
    ),
)  # fmt: skip
