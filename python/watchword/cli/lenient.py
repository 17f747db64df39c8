"""A lenient reading of malformed tokens, for display only: it decides nothing."""

from __future__ import annotations

import base64
import binascii
import collections
import json
import math
import re
from typing import Any

from watchword import base64url
from watchword.limits import MAX_JSON_DEPTH, MAX_NUMBER_LENGTH

_NOT_BASE64URL = re.compile(r"[^A-Za-z0-9_-]")


def split(text: str, problems: list[str]) -> list[str]:
    """Return the parts of a token in the compact form, or in the flattened JSON form (RFC 7515 section 7.2.2)."""
    text = text.strip().strip("\"'")
    if text[:1] == "{":
        return _parts_of_json(text)
    # Only what follows the scheme of an Authorization header.
    text = text.rpartition(" ")[2]
    if not text:
        problems.append("it is empty")
        return []
    return text.split(".")


def _parts_of_json(text: str) -> list[str]:
    try:
        members = json.loads(text)
        parts = [members["protected"], members["payload"], members["signature"]]
    except (ValueError, RecursionError, KeyError):
        return []
    return parts if all(isinstance(part, str) for part in parts) else []


def read_bytes(name: str, part: str, problems: list[str]) -> bytes:
    """Return what a part encodes in base64url, and add what is wrong with it to ``problems``."""
    if _NOT_BASE64URL.search(part):
        problems.append(f"the {name} has characters that are not base64url (RFC 7515 section 2)")
    kept = _NOT_BASE64URL.sub("", part.replace("+", "-").replace("/", "_"))
    if len(kept) % 4 == 1:
        problems.append(f"the {name} is truncated: base64url never has that length")
        kept = kept[:-1]
    try:
        data = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
    except (ValueError, binascii.Error):
        return b""
    if base64url.encode(data) != kept:
        problems.append(f"the {name}'s last character has unused bits that are not zero (RFC 4648 section 3.5)")
    return data


def read_part(name: str, part: str, problems: list[str]) -> dict[str, Any] | None:
    """Return the JSON object that a part encodes, ``None`` if it encodes none, and add to ``problems``."""
    return read_object(name, read_bytes(name, part, problems), problems)


def read_object(name: str, data: bytes, problems: list[str]) -> dict[str, Any] | None:
    """Return the JSON object in ``data``, ``None`` if there is none, and add what is not strict to ``problems``."""
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
        problems.append(f"the {name} has trailing characters after its JSON")
    if not isinstance(value, dict):
        problems.append(f"the {name} is JSON, but not an object")
        return None
    if not data.isascii() or b"\\u" in data:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            problems.append(f"the {name} has a lone surrogate in a string")
    if _depth(value) > MAX_JSON_DEPTH:
        problems.append(f"the {name} is nested more than {MAX_JSON_DEPTH} deep")
    return value


def _depth(value: object) -> int:
    # Not recursive: json gives up long before Python does, but what it accepts may still be deep.
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, (dict, list)):
            deepest = max(deepest, depth)
            waiting += [(inner, depth + 1) for inner in (one.values() if isinstance(one, dict) else one)]
    return deepest


def _decoder(name: str, problems: list[str]) -> json.JSONDecoder:
    """Return a decoder that continues after what is not strict, notes it, and yields only what JSON can express."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            (repeated, _), *_ = collections.Counter(key for key, _ in pairs).most_common(1)
            problems.append(f"the {name} has {repeated[:40]!r} more than once; the last is shown")
        return found

    def out_of_range(text: str) -> str:
        problems.append(f"the {name} has a number that is out of range, or not a number")
        return text if len(text) <= 40 else text[:40] + "…"

    def whole(text: str) -> int | str:
        return int(text) if len(text) <= MAX_NUMBER_LENGTH else out_of_range(text)

    def fraction(text: str) -> float | str:
        return float(text) if math.isfinite(float(text)) else out_of_range(text)

    return json.JSONDecoder(
        object_pairs_hook=members, parse_int=whole, parse_float=fraction, parse_constant=out_of_range
    )
