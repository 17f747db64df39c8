"""base64url without padding (RFC 7515 section 2), for what is written and for keys; the kernel reads tokens."""

from __future__ import annotations

import base64
import binascii


def encode(data: bytes) -> str:
    """Return ``data`` in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding.

    Raises ``ValueError``, which does not quote the text, if it has other characters, padding or unused bits.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        data = b""
    # Python's decoder skips what it does not know.
    if encode(data) != text:
        raise ValueError("not base64url without padding")
    return data


__all__ = ["decode", "encode"]
