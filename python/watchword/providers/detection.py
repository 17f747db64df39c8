"""Whose a token looks like. Nothing here verifies anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.errors import VerificationError, WrongTypeError
from watchword.providers.profiles import Kind, Members, ProviderName, media_type, profile_of, reason_of, recognised
from watchword.providers.unverified import unverified

#: Types that say what a token is, whoever's it is (RFC 9449 section 4.2).
_KINDS_OF_TYPES = {"dpop+jwt": "dpop_proof"}


@dataclass(frozen=True)
class Detection:
    """Whose a token looks like, **unverified**: anybody can write a token that looks like this.

    ``provider`` is ``None`` if it looks like nobody's, or like several providers' at once; ``kind`` is which of the
    provider's tokens it is (``access_token``, ``id_token``, ...); ``reasons`` are what this was told by, in sentences
    that quote nothing of the token. ``problems`` are why the provider's verifier, with its default settings, would
    refuse these claims even if the signature were valid; without any, it may still refuse the token.
    """

    provider: ProviderName | None
    kind: str | None
    reasons: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def verified(self) -> Literal[False]:
        """Always ``False``: nobody looked at the signature."""
        return False

    def __repr__(self) -> str:
        """As any other, with the warning in front."""
        said = f"provider={self.provider!r}, kind={self.kind!r}, reasons={self.reasons!r}, problems={self.problems!r}"
        return f"Detection(UNVERIFIED, {said})"


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
    typ = media_type(parts.header)
    if typ in _KINDS_OF_TYPES:
        return Detection(None, _KINDS_OF_TYPES[typ], (f'its type is "{typ}", which is no provider\'s own',))
    found = recognised(parts.header, claims)
    if len(found) == 1:
        ((provider, one),) = found.items()
        return _examined(provider, one, parts.header, claims)
    if not found:
        return Detection(None, None, ("it has the marks of no provider's tokens",))
    return Detection(
        None, None, tuple(f"it could be {name}'s: {'; '.join(one.reasons)}" for name, one in found.items())
    )


def _examined(provider: ProviderName, kind: Kind, header: Members, claims: Members) -> Detection:
    """What the provider's own rules say of claims that have its marks."""
    profile = profile_of(provider)
    try:
        if kind.name in profile.accepted:
            profile.rules().form(header, claims)
    except WrongTypeError as error:
        return Detection(None, None, (f"it has marks of {provider}'s tokens, but {error.detail}",))
    except RecursionError:
        return Detection(None, None, ("its payload is nested too deeply",))
    except VerificationError as error:
        return Detection(provider, kind.name, kind.reasons, (f"{reason_of(error)}: {error.detail}",))
    return Detection(provider, kind.name, kind.reasons)


__all__ = ["Detection", "detect"]
