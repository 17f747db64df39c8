"""What a person can do about a rejected token, if anything."""

from __future__ import annotations

import argparse

from watchword import ErrorCode, VerificationError

_HINTS = {
    ErrorCode.WRONG_TYPE: "--type sets the accepted types; `watchword inspect` shows the token's.",
    ErrorCode.UNKNOWN_KEY: "`watchword keys` shows the keys of a set, and which are rejected.",
    ErrorCode.EXPIRED: "--at TIME verifies a stored token as of the time it was used.",
    ErrorCode.WRONG_AUDIENCE: "--audience sets the accepted audiences; --any-audience accepts any.",
    ErrorCode.CERTIFICATE_REQUIRED: "--certificate FILE gives the client's; --accept-bound accepts the token without.",
    ErrorCode.CERTIFICATE_MISMATCH: "--certificate FILE gives the client's own certificate, not an authority's.",
    ErrorCode.DPOP_PROOF_REQUIRED: "--accept-bound accepts a bound token without a proof.",
}
_NEITHER = "No file has this name, and a token has three parts separated by dots."
_SCHEMES = ("bearer", "dpop")


def rejection_hint(token: str | bytes, error: VerificationError, options: argparse.Namespace) -> str | None:
    """Return one sentence, or ``None`` if there is nothing to do. It never quotes the token."""
    if error.code is ErrorCode.MALFORMED_TOKEN:
        is_word = isinstance(token, str) and "." not in token  # an argument; lines of files are bytes
        return shape_hint(token) or (_NEITHER if token and is_word else None)
    already_set = {
        ErrorCode.WRONG_TYPE: options.provider,
        ErrorCode.WRONG_AUDIENCE: options.audience,
        ErrorCode.EXPIRED: options.at,
    }
    return None if already_set.get(error.code) else _HINTS.get(error.code)


def shape_hint(token: str | bytes) -> str | None:
    """Return what to remove from around a token, as a sentence, or ``None`` if there is nothing around it."""
    text = token if isinstance(token, str) else token[:64].decode("ascii", "replace")
    scheme = text.lstrip().partition(" ")[0]
    if scheme.rstrip(":").lower() == "authorization":
        return "This is a whole header line: give only what follows the scheme."
    if scheme.lower() in _SCHEMES:
        return f"Remove the word {scheme!r}: it is the scheme of the Authorization header, not part of the token."
    if text[:1] in ("'", '"'):
        return "Remove the quotation marks."
    if text[:1] == "{":
        return "This is JSON: give the compact form, three parts separated by dots."
    if text != text.strip():
        return "Remove the white space."
    return None
