"""What a person can do about a token that was rejected, where something can be done."""

from __future__ import annotations

import argparse

from watchword._kernel import VerifiedToken
from watchword.errors import ErrorCode, VerificationError

_HINTS = {
    ErrorCode.WRONG_TYPE: "--type says which types are accepted; `watchword inspect` shows the token's.",
    ErrorCode.UNKNOWN_KEY: "`watchword keys` shows the keys of a set, and which are left out.",
    ErrorCode.EXPIRED: "--at TIME verifies a stored token as of the time it was used.",
    ErrorCode.WRONG_AUDIENCE: "--audience says for whom a token may be, --any-audience that it does not matter.",
    ErrorCode.DPOP_PROOF_REQUIRED: "--accept-bound accepts a bound token without a proof.",
}
_SCHEMES = ("bearer", "dpop")


def hint_for(token: str | bytes, verdict: VerifiedToken | VerificationError, options: argparse.Namespace) -> str | None:
    """A sentence, or ``None``. It never quotes the token."""
    if isinstance(verdict, VerifiedToken):
        return None
    if verdict.code is ErrorCode.MALFORMED_TOKEN:
        return about_shape(token)
    answered = {
        ErrorCode.WRONG_TYPE: options.provider,
        ErrorCode.WRONG_AUDIENCE: options.audience,
        ErrorCode.EXPIRED: options.at,
    }
    return None if answered.get(verdict.code) else _HINTS.get(verdict.code)


def about_shape(token: str | bytes) -> str | None:
    """What is round a token that does not belong to it."""
    text = token if isinstance(token, str) else token[:64].decode("ascii", "replace")
    scheme = text.lstrip().partition(" ")[0]
    if scheme.rstrip(":").lower() == "authorization":
        return "That is a whole header line: give only what comes after the scheme."
    if scheme.lower() in _SCHEMES:
        return (
            f"Leave out the word {scheme!r} in front: it is the scheme of the Authorization header, not of the token."
        )
    if text[:1] in ("'", '"'):
        return "Leave out the quotation marks."
    if text[:1] == "{":
        return "That is JSON: give the compact form, three parts with a dot between them."
    if text != text.strip():
        return "Leave out the white space."
    return None
