"""Decoding for display: as much as can be made of a token, and what is wrong with its form.

Deliberately lenient, so of no use to a verifier; the kernel has the only decoder that decides anything.
"""

from __future__ import annotations

import base64
import binascii
import collections
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from watchword import _kernel
from watchword._kernel import KeySet
from watchword.cli.hints import about_shape
from watchword.errors import ErrorCode, UnknownKeyError, VerificationError

_LONGEST = 1 << 20
_YEAR_10000 = 253_402_300_800
_DEEPEST = 32
_LONGEST_NUMBER = 128
_ODD = re.compile(r"[^A-Za-z0-9_-]")


@dataclass
class Decoded:
    """What a token says of itself; ``None`` for what can't be made out. ``problems`` are sentences."""

    header: dict[str, Any] | None = None
    claims: dict[str, Any] | None = None
    signature_bytes: int | None = None
    problems: list[str] = field(default_factory=list)


def decode(token: str | bytes) -> Decoded:
    """As much of ``token`` as can be read. Never raises."""
    decoded = Decoded()
    text = token if isinstance(token, str) else token.decode("utf-8", "surrogateescape")
    if len(text) > _LONGEST:
        decoded.problems.append(f"it has more than {_LONGEST:,} characters, and was not looked at")
        return decoded
    parts = _parts(text, decoded)
    if parts:
        decoded.header = _object("header", parts[0], decoded.problems)
    if len(parts) == 5:
        decoded.problems.append("it has five parts, so it is encrypted (JWE): its claims can't be read without a key")
    elif parts:
        if len(parts) != 3:
            decoded.problems.append(f"it has {len(parts)} of the three parts that a token has, with a dot between them")
        if len(parts) > 1:
            decoded.claims = _object("payload", parts[1], decoded.problems)
            decoded.problems += _claim_problems(decoded.claims or {})
        if len(parts) > 2:
            decoded.signature_bytes = len(_bytes("signature", parts[2], decoded.problems))
    _add_kernels_view(token, decoded.problems)
    return decoded


def _parts(text: str, decoded: Decoded) -> list[str]:
    hint = about_shape(text)
    if hint is not None:
        decoded.problems.append(hint[0].lower() + hint[1:].rstrip("."))
    text = text.strip().strip("\"'")
    if text[:1] == "{":
        return _parts_of_json(text)
    # Only what comes after the scheme of an Authorization header.
    text = text.rpartition(" ")[2]
    if not text:
        decoded.problems.append("it is empty")
        return []
    return text.split(".")


def _parts_of_json(text: str) -> list[str]:
    """The parts of the flattened JSON serialisation (RFC 7515 section 7.2.2)."""
    try:
        members = json.loads(text)
        parts = [members["protected"], members["payload"], members["signature"]]
    except (ValueError, RecursionError, KeyError):
        return []
    return parts if all(isinstance(part, str) for part in parts) else []


def _bytes(name: str, part: str, problems: list[str]) -> bytes:
    if _ODD.search(part):
        problems.append(f"the {name} has characters that base64url does not have (RFC 7515 section 2)")
    kept = _ODD.sub("", part.replace("+", "-").replace("/", "_"))
    if len(kept) % 4 == 1:
        problems.append(f"the {name} is cut off: base64url never has that length")
        kept = kept[:-1]
    try:
        data = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
    except (ValueError, binascii.Error):
        return b""
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != kept:
        problems.append(f"the {name}'s last character has bits that mean nothing (RFC 4648 section 3.5)")
    return data


def _object(name: str, part: str, problems: list[str]) -> dict[str, Any] | None:
    data = _bytes(name, part, problems)
    if data.startswith(b"\xef\xbb\xbf"):
        problems.append(f"the {name} begins with a byte order mark")
        data = data[3:]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        problems.append(f"the {name} is not UTF-8")
        text = data.decode("utf-8", "replace")
    try:
        value, end = _decoder(name, problems).raw_decode(text.lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        problems.append(f"the {name} is not JSON" + ("" if data else ": it is empty"))
        return None
    if text.lstrip(" \t\r\n")[end:].strip(" \t\r\n"):
        problems.append(f"the {name} has something after its JSON")
    if not isinstance(value, dict):
        problems.append(f"the {name} is JSON, but not an object")
        return None
    if not data.isascii() or b"\\u" in data:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            problems.append(f"the {name} has a lone surrogate in a string")
    if _depth(value) > _DEEPEST:
        problems.append(f"the {name} is nested more than {_DEEPEST} deep")
    return value


def _claim_problems(claims: dict[str, Any]) -> list[str]:
    """Registered claims of the wrong type (RFC 7519 section 4.1)."""
    problems = []
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _YEAR_10000:
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


def _depth(value: object) -> int:
    # Not recursive: json gives up long before Python does, but what it lets pass may still be deep.
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, (dict, list)):
            deepest = max(deepest, depth)
            waiting += [(inner, depth + 1) for inner in (one.values() if isinstance(one, dict) else one)]
    return deepest


def _decoder(name: str, problems: list[str]) -> json.JSONDecoder:
    """A decoder that keeps going, notes what is not strict, and yields nothing that JSON can't express again."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            (often, _), *_ = collections.Counter(key for key, _ in pairs).most_common(1)
            problems.append(f"the {name} has {often[:40]!r} more than once; the last is shown")
        return found

    def out_of_range(text: str) -> str:
        problems.append(f"the {name} has a number that is out of range, or no number at all")
        return text if len(text) <= 40 else text[:40] + "…"

    def whole(text: str) -> int | str:
        return int(text) if len(text) <= _LONGEST_NUMBER else out_of_range(text)

    def fraction(text: str) -> float | str:
        return float(text) if math.isfinite(float(text)) else out_of_range(text)

    return json.JSONDecoder(
        object_pairs_hook=members, parse_int=whole, parse_float=fraction, parse_constant=out_of_range
    )


def _add_kernels_view(token: str | bytes, problems: list[str]) -> None:
    """The decoder that decides has the last word: without a key it says what it thinks of the form."""
    try:
        _kernel.verify_jws(token, KeySet.from_json({"keys": []}))
    except UnknownKeyError:
        return
    except VerificationError as error:
        # Where it is not clear already: its own sentence says less than those above.
        if not problems or error.code is not ErrorCode.MALFORMED_TOKEN:
            problems.append(f"a verifier says {error.code}: {error.detail}")


__all__ = ["Decoded", "decode"]
