"""The kernel's defaults and limits. Sizes are bytes, times seconds.

Defaults of :class:`~watchword.Policy`: ``DEFAULT_TYPES``, ``DEFAULT_REQUIRED``, ``DEFAULT_SCOPE_CLAIMS``,
``DEFAULT_LEEWAY``; ``MAX_TOKEN_BYTES`` and ``MAX_HEADER_BYTES``, for the encoded forms of a token and of its header.

Fixed limits: ``MAX_PROOF_BYTES`` and ``MAX_PROOF_HEADER_BYTES`` of a DPoP proof; ``MAX_KEY_SET_BYTES`` and
``MAX_KEYS`` of a JWK Set (:class:`watchword.jwks.CacheSettings` may be stricter); ``MAX_ACTORS`` of a delegation chain,
of which ``DEFAULT_MAX_ACTORS`` are read by default; ``MAX_JSON_DEPTH`` and ``MAX_NUMBER_LENGTH`` (characters) of JSON;
``MAX_NUMERIC_DATE``, the latest time of a claim, in Unix seconds.
"""

from __future__ import annotations

from watchword._kernel import (
    DEFAULT_LEEWAY,
    DEFAULT_MAX_ACTORS,
    DEFAULT_REQUIRED,
    DEFAULT_SCOPE_CLAIMS,
    DEFAULT_TYPES,
    MAX_ACTORS,
    MAX_HEADER_BYTES,
    MAX_JSON_DEPTH,
    MAX_KEY_SET_BYTES,
    MAX_KEYS,
    MAX_NUMBER_LENGTH,
    MAX_NUMERIC_DATE,
    MAX_PROOF_BYTES,
    MAX_PROOF_HEADER_BYTES,
    MAX_TOKEN_BYTES,
)

__all__ = [
    "DEFAULT_LEEWAY",
    "DEFAULT_MAX_ACTORS",
    "DEFAULT_REQUIRED",
    "DEFAULT_SCOPE_CLAIMS",
    "DEFAULT_TYPES",
    "MAX_ACTORS",
    "MAX_HEADER_BYTES",
    "MAX_JSON_DEPTH",
    "MAX_KEYS",
    "MAX_KEY_SET_BYTES",
    "MAX_NUMBER_LENGTH",
    "MAX_NUMERIC_DATE",
    "MAX_PROOF_BYTES",
    "MAX_PROOF_HEADER_BYTES",
    "MAX_TOKEN_BYTES",
]
