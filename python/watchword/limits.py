"""The defaults and limits that apply unless a :class:`~watchword.Policy` says otherwise. Sizes are bytes.

``DEFAULT_TYPES``, ``DEFAULT_REQUIRED``, ``DEFAULT_SCOPE_CLAIMS`` and ``DEFAULT_LEEWAY`` (seconds) are the arguments of
that name; ``MAX_TOKEN_BYTES`` and ``MAX_HEADER_BYTES`` limit the encoded forms of a token and of its header.
``MAX_KEY_SET_BYTES`` and ``MAX_KEYS`` limit a JWK Set, always; :class:`watchword.jwks.CacheSettings` may be stricter.
"""

from __future__ import annotations

from watchword._kernel import (
    DEFAULT_LEEWAY,
    DEFAULT_REQUIRED,
    DEFAULT_SCOPE_CLAIMS,
    DEFAULT_TYPES,
    MAX_HEADER_BYTES,
    MAX_TOKEN_BYTES,
)

MAX_KEY_SET_BYTES = 1024 * 1024
MAX_KEYS = 256

__all__ = [
    "DEFAULT_LEEWAY",
    "DEFAULT_REQUIRED",
    "DEFAULT_SCOPE_CLAIMS",
    "DEFAULT_TYPES",
    "MAX_HEADER_BYTES",
    "MAX_KEYS",
    "MAX_KEY_SET_BYTES",
    "MAX_TOKEN_BYTES",
]
