"""What a token says of itself, before anybody verified it: its form is checked by the kernel, and nothing else."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any, NamedTuple

from watchword import _kernel
from watchword._kernel import KeySet
from watchword.errors import AlgorithmNotAllowedError, UnknownKeyError

_NO_KEYS = KeySet.from_json(b'{"keys":[]}')


class Unverified(NamedTuple):
    """The header, and the payload as it is encoded. Anybody can have written both."""

    header: dict[str, Any]
    payload: str

    def claims(self) -> dict[str, Any] | None:
        """The payload where it is a JSON object. It is read leniently, so nothing may be decided by it."""
        try:
            document = json.loads(_decoded(self.payload))
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None


def unverified(token: str | bytes) -> Unverified:
    """The parts of a token that is well-formed as far as the kernel looks without a key: sizes, base64url, and the
    header to the last bit. Raises :class:`~watchword.VerificationError` for any other.
    """
    # These two are as far as a well-formed token gets without a key.
    with contextlib.suppress(UnknownKeyError, AlgorithmNotAllowedError):
        _kernel.verify_jws(token, _NO_KEYS)
    text = token if isinstance(token, str) else token.decode("ascii")
    header, payload, _ = text.split(".")
    return Unverified(json.loads(_decoded(header)), payload)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
