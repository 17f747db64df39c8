"""Decoding for display: as much of a token as can be read, and what is wrong with its form.

The kernel decodes well-formed tokens; :mod:`watchword.cli.lenient` reads the others, for display only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from watchword import (
    ErrorCode,
    UnknownKeyError,
    UnverifiedToken,
    VerificationError,
    decode_unverified,
    verify_jws,
)
from watchword.cli import lenient
from watchword.cli.rejection_hint import shape_hint
from watchword.issuer_keys import NO_KEYS
from watchword.limits import MAX_NUMERIC_DATE

_LONGEST = 1 << 20


@dataclass
class Decoded:
    """The contents of a token; ``None`` for what cannot be read. ``problems`` are sentences."""

    header: dict[str, Any] | None = None
    claims: dict[str, Any] | None = None
    signature_bytes: int | None = None
    problems: list[str] = field(default_factory=list)


def decode(token: str | bytes) -> Decoded:
    """Return as much of ``token`` as can be read. Never raises."""
    if len(token) > _LONGEST:
        return Decoded(problems=[f"it has more than {_LONGEST:,} characters, and was not decoded"])
    try:
        decoded = _of_well_formed(decode_unverified(token, max_token_bytes=_LONGEST, max_header_bytes=_LONGEST))
    except VerificationError:
        decoded = _of_malformed(token if isinstance(token, str) else token.decode("utf-8", "surrogateescape"))
    decoded.problems += _claim_problems(decoded.claims or {})
    decoded.problems += _kernel_problems(token, already_malformed=bool(decoded.problems))
    return decoded


def _of_well_formed(token: UnverifiedToken) -> Decoded:
    decoded = Decoded(token.header, token.claims, len(token.signature))
    if decoded.claims is None:  # the payload is not strict JSON
        decoded.claims = lenient.read_object("payload", token.payload, decoded.problems)
    return decoded


def _of_malformed(text: str) -> Decoded:
    decoded = Decoded()
    hint = shape_hint(text)
    if hint is not None:
        decoded.problems.append(hint[0].lower() + hint[1:].rstrip("."))
    parts = lenient.split(text, decoded.problems)
    if parts:
        decoded.header = lenient.read_part("header", parts[0], decoded.problems)
    if len(parts) == 5:
        decoded.problems.append("it has five parts, so it is encrypted (JWE): its claims can't be read without a key")
    elif parts:
        if len(parts) != 3:
            decoded.problems.append(f"it has {len(parts)} of the three parts of a token, which are separated by dots")
        if len(parts) > 1:
            decoded.claims = lenient.read_part("payload", parts[1], decoded.problems)
        if len(parts) > 2:
            decoded.signature_bytes = len(lenient.read_bytes("signature", parts[2], decoded.problems))
    return decoded


def _claim_problems(claims: dict[str, Any]) -> list[str]:
    """Return the registered claims of the wrong type (RFC 7519 section 4.1), as sentences."""
    problems = []
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_NUMERIC_DATE:
            problems.append(f"the claim {name!r} must be a number of seconds, from 0 to the year 9999")
    for name in ("iss", "sub", "jti"):
        if not isinstance(claims.get(name, ""), str):
            problems.append(f"the claim {name!r} must be a string")
    audience = claims.get("aud", "")
    if not isinstance(audience, str) and not (
        isinstance(audience, list) and audience and all(isinstance(one, str) for one in audience)
    ):
        problems.append("the claim 'aud' must be a string or an array of strings that is not empty")
    if not isinstance(claims.get("cnf", {}), dict):
        problems.append("the claim 'cnf' must be an object (RFC 7800)")
    return problems


def _kernel_problems(token: str | bytes, *, already_malformed: bool) -> list[str]:
    """Return what a verifier rejects in the form of the token, which it checks before it needs a key."""
    try:
        verify_jws(token, NO_KEYS)
    except UnknownKeyError:
        return []
    except VerificationError as error:
        # Its sentence about a malformed token is less specific than those above.
        if not already_malformed or error.code is not ErrorCode.MALFORMED_TOKEN:
            return [f"a verifier rejects it as {error.code}: {error.detail}"]
    return []


__all__ = ["Decoded", "decode"]
