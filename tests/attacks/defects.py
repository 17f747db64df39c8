"""Tokens with one defect, or with several at once, in the order in which the checks must find them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mint

from watchword import ErrorCode


@dataclass
class Draft:
    """A good token before it is signed and written."""

    header: dict[str, Any] = field(default_factory=mint.header)
    claims: dict[str, Any] = field(default_factory=mint.claims)
    header_extra: str = ""
    claims_extra: str = ""
    break_signature: bool = False
    suffix: str = ""

    def write(self) -> str:
        head = mint.with_member(self.header, self.header_extra) if self.header_extra else mint.encode(self.header)
        payload = mint.with_member(self.claims, self.claims_extra) if self.claims_extra else mint.encode(self.claims)
        signing_input = f"{mint.b64(head)}.{mint.b64(payload)}"
        signature = bytearray(mint.sign("EdDSA", "ed25519", signing_input.encode()))
        if self.break_signature:
            signature[7] ^= 1
        return f"{signing_input}.{mint.b64(bytes(signature))}{self.suffix}"


@dataclass(frozen=True)
class Defect:
    name: str
    step: int
    code: ErrorCode
    slot: str
    """What it changes: two defects of one slot cannot be had together."""
    apply: Callable[[Draft], object]

    def __str__(self) -> str:
        return self.name


def _claims(**changes: Any) -> Callable[[Draft], object]:
    def apply(draft: Draft) -> None:
        for name, value in changes.items():
            if value is mint.OMIT:
                draft.claims.pop(name, None)
            else:
                draft.claims[name] = value

    return apply


def _header(**changes: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.header.update(changes)


def _set(name: str, value: object) -> Callable[[Draft], object]:
    return lambda draft: setattr(draft, name, value)


#: The policy under which every defect below is one.
POLICY: dict[str, Any] = {"algorithms": ("EdDSA", "ES256"), "required": ("exp", "tenant"), "types": ("at+jwt", "JWT")}

C = ErrorCode
DEFECTS = (
    Defect("token too large", 0, C.TOO_LARGE, "claims pad", _claims(pad="x" * 20_000)),
    Defect("header too large", 0, C.TOO_LARGE, "header pad", _header(pad="x" * 4_000)),
    Defect("four parts", 1, C.MALFORMED_TOKEN, "suffix", _set("suffix", ".AAAA")),
    Defect("five parts", 1, C.UNSUPPORTED, "suffix", _set("suffix", ".AAAA.AAAA")),
    Defect("padding", 2, C.MALFORMED_TOKEN, "suffix", _set("suffix", "==")),
    Defect("header member twice", 3, C.MALFORMED_HEADER, "header extra", _set("header_extra", '"x":1,"x":1')),
    Defect("alg a number", 3, C.MALFORMED_HEADER, "alg", _header(alg=1)),
    Defect("kid a number", 3, C.MALFORMED_HEADER, "kid", _header(kid=1)),
    Defect("typ a number", 3, C.MALFORMED_HEADER, "typ", _header(typ=1)),
    Defect("crit", 4, C.UNSUPPORTED_CRITICAL_HEADER, "crit", _header(crit=["exp"])),
    Defect("b64", 4, C.UNSUPPORTED_CRITICAL_HEADER, "b64", _header(b64=True)),
    Defect("typ of a proof", 5, C.WRONG_TYPE, "typ", _header(typ="dpop+jwt")),
    Defect("typ absent", 5, C.WRONG_TYPE, "typ", lambda draft: draft.header.pop("typ")),
    Defect("alg none", 6, C.ALGORITHM_NOT_ALLOWED, "alg", _header(alg="none")),
    Defect("alg unknown", 6, C.ALGORITHM_NOT_ALLOWED, "alg", _header(alg="HS256")),
    Defect("alg outside the policy", 6, C.ALGORITHM_NOT_ALLOWED, "alg", _header(alg="RS256")),
    Defect("kid unknown", 7, C.UNKNOWN_KEY, "kid", _header(kid="nobody")),
    Defect("alg of another key", 8, C.ALGORITHM_NOT_ALLOWED, "alg", _header(alg="ES256")),
    Defect("signature broken", 9, C.INVALID_SIGNATURE, "signature", _set("break_signature", True)),
    Defect("claim twice", 10, C.MALFORMED_CLAIMS, "claims extra", _set("claims_extra", '"x":1,"x":1')),
    Defect("sub a number", 11, C.MALFORMED_CLAIMS, "sub", _claims(sub=1)),
    Defect("exp a string", 11, C.MALFORMED_CLAIMS, "exp", _claims(exp="1900000300")),
    Defect("iss a list", 11, C.MALFORMED_CLAIMS, "iss", _claims(iss=[mint.ISSUER])),
    Defect("expired", 12, C.EXPIRED, "exp", _claims(exp=mint.NOW - 60)),
    Defect("not yet valid", 13, C.NOT_YET_VALID, "nbf", _claims(nbf=mint.NOW + 60)),
    Defect("issued in the future", 14, C.ISSUED_IN_FUTURE, "iat", _claims(iat=mint.NOW + 60)),
    Defect("iss wrong", 15, C.WRONG_ISSUER, "iss", _claims(iss="https://evil.example")),
    Defect("iss absent", 15, C.MISSING_CLAIM, "iss", _claims(iss=mint.OMIT)),
    Defect("aud wrong", 16, C.WRONG_AUDIENCE, "aud", _claims(aud="https://other.example")),
    Defect("aud empty", 16, C.MISSING_CLAIM, "aud", _claims(aud=[])),
    Defect("aud absent", 16, C.MISSING_CLAIM, "aud", _claims(aud=mint.OMIT)),
    Defect("exp absent", 17, C.MISSING_CLAIM, "exp", _claims(exp=mint.OMIT)),
    Defect("tenant absent", 17, C.MISSING_CLAIM, "tenant", _claims(tenant=mint.OMIT)),
    Defect("bound", 18, C.DPOP_PROOF_REQUIRED, "cnf", _claims(cnf={"jkt": "x" * 43})),
    Defect("bound otherwise", 18, C.UNSUPPORTED, "cnf", _claims(cnf={"x5t#S256": "x" * 43})),
)


def token_with(*defects: Defect) -> str:
    draft = Draft()
    draft.claims["tenant"] = "blue"
    for defect in defects:
        defect.apply(draft)
    return draft.write()


def can_be_together(*defects: Defect) -> bool:
    return len({defect.slot for defect in defects}) == len(defects)
