"""Answers of the token endpoint, as token sets (RFC 6749 section 5.1)."""

from __future__ import annotations

from watchword.client import Answer
from watchword.providers.authpi.types import TokenSet

#: Seconds, if the server does not say: as in the package.
_DEFAULT_LIFETIME = 3600

_LONGEST_LIFETIME = 2**53


def token_set_of(answer: Answer, *, now: float, former: TokenSet | None = None) -> TokenSet:
    """Return the token set of a good answer that arrived at ``now``, in Unix seconds.

    What a renewal does not state again is taken from the ``former`` set: the refresh token, the scope. Raises
    :class:`~watchword.client.InvalidAnswerError` if a member is missing, has another type, or if the access token is
    not a bearer token.
    """
    members = answer.members()
    token_type = members.optional_text("token_type") or "Bearer"
    if token_type.lower() != "bearer":
        # RFC 6749 section 7.1: a client must not use a token whose type it does not understand.
        raise members.invalid("token_type")
    lifetime = members.optional_integer("expires_in")
    if lifetime is not None and not 0 <= lifetime <= _LONGEST_LIFETIME:
        raise members.invalid("expires_in")
    return TokenSet(
        access_token=members.text("access_token"),
        token_type=token_type,
        expires_at=int(now) + (_DEFAULT_LIFETIME if lifetime is None else lifetime),
        refresh_token=members.optional_text("refresh_token") or (None if former is None else former.refresh_token),
        id_token=members.optional_text("id_token") or None,
        scope=members.optional_text("scope") or (None if former is None else former.scope),
    )


__all__ = ["token_set_of"]
