"""A valid token before it is encoded, open to every kind of tampering."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from watchword import base64url
from watchword.testing.signing_key import SigningKey


class Draft:
    """The parts of a token. A defect changes some of them; :meth:`write` assembles the token.

    ``header_text`` and ``payload``, if set, replace the JSON of ``header`` and ``claims``. ``sign``, if set, signs
    instead of ``key``. ``reshape`` gets the encoded parts and returns the token.
    """

    def __init__(self, key: SigningKey, header: dict[str, Any], claims: dict[str, Any], now: int) -> None:
        self.key = key
        self.header = header
        self.claims = claims
        self.now = now
        self.header_text: bytes | None = None
        self.payload: bytes | None = None
        self.sign: Callable[[bytes], bytes] | None = None
        self.encode_payload: Callable[[bytes], str] = base64url.encode
        self.reshape: Callable[[str, str, str], str] = lambda head, payload, signature: f"{head}.{payload}.{signature}"

    def write(self) -> str:
        """Return the token."""
        head = base64url.encode(to_json(self.header) if self.header_text is None else self.header_text)
        payload = self.encode_payload(to_json(self.claims) if self.payload is None else self.payload)
        signature = (self.sign or self.key.sign)(f"{head}.{payload}".encode())
        return self.reshape(head, payload, base64url.encode(signature))


def to_json(members: Mapping[str, Any]) -> bytes:
    """Return members as compact JSON."""
    return json.dumps(members, separators=(",", ":")).encode()


def with_raw_member(members: Mapping[str, Any], raw: str) -> bytes:
    """Return a JSON object with one more member at its end, given as text: ``with_raw_member({}, '"exp":1e400')``."""
    inner = to_json(members)[1:-1]
    return b"{" + (inner + b"," if inner else b"") + raw.encode() + b"}"
