"""A JWS in compact serialization (RFC 7515 section 7.1), signed by a Signer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from watchword import base64url

if TYPE_CHECKING:
    from watchword.holder.signer import Signer


def encode_part(document: Mapping[str, Any]) -> str:
    """Return a header or a payload as it is in a JWS: base64url of its JSON, which is ASCII without spaces."""
    return base64url.encode(json.dumps(document, separators=(",", ":")).encode())


def sign_compact(header: str, payload: str, signer: Signer) -> str:
    """Return the JWS with this header and payload, both as :func:`encode_part` returns them.

    The header must have the ``alg`` of the signer. Raises what the signer raises.
    """
    signing_input = f"{header}.{payload}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


__all__ = ["encode_part", "sign_compact"]
