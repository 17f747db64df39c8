"""base64url without padding (RFC 7515 section 2), for what is written; the kernel reads it."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    """Return ``data`` in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


__all__ = ["encode"]
