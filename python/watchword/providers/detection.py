"""Whose a token looks like. Nothing here verifies anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.errors import VerificationError
from watchword.providers.profiles import Members, ProviderName, recognised
from watchword.providers.unverified import unverified

#: Types that say what a token is, whoever's it is (RFC 9449 section 4.2).
_KINDS_OF_TYPES = {"dpop+jwt": "dpop_proof"}


@dataclass(frozen=True)
class Detection:
    """Whose a token looks like, **unverified**: anybody can write a token that looks like this.

    ``provider`` is ``None`` where it looks like nobody's, or like several providers' at once; ``kind`` is which of the
    provider's tokens it is (``access_token``, ``id_token``, ...); ``reasons`` are what this was told by, in sentences
    that quote nothing of the token.
    """

    provider: ProviderName | None
    kind: str | None
    reasons: tuple[str, ...]

    @property
    def verified(self) -> Literal[False]:
        """Always ``False``: nobody looked at the signature."""
        return False

    def __repr__(self) -> str:
        """As any other, with the warning in front."""
        return f"Detection(UNVERIFIED, provider={self.provider!r}, kind={self.kind!r}, reasons={self.reasons!r})"


def detect(token: str | bytes) -> Detection:
    """Whose a token looks like, and which kind of token: **nothing is verified**, so nothing may be decided by it but
    which verifier to ask.

    Never raises for what the token is; ``TypeError`` where it is neither ``str`` nor ``bytes``.
    """
    try:
        parts = unverified(token)
    except VerificationError as error:
        return Detection(None, None, (f"it is not the compact form of a signed token ({error.code})",))
    claims = parts.claims()
    if claims is None:
        return Detection(None, None, ("its payload is not a JSON object",))
    kind = _KINDS_OF_TYPES.get(_type(parts.header))
    if kind is not None:
        return Detection(None, kind, (f'its type is "{_type(parts.header)}", which is no provider\'s own',))
    found = recognised(parts.header, claims)
    if len(found) == 1:
        ((provider, one),) = found.items()
        return Detection(provider, one.name, one.reasons)
    if not found:
        return Detection(None, None, ("it has the marks of no provider's tokens",))
    return Detection(
        None, None, tuple(f"it could be {name}'s: {'; '.join(one.reasons)}" for name, one in found.items())
    )


def _type(header: Members) -> str:
    """``typ`` as a media type is compared (RFC 7515 section 4.1.9)."""
    return str(header.get("typ", "")).lower().removeprefix("application/")


__all__ = ["Detection", "detect"]
