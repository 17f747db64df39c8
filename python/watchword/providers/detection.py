"""The provider and kind of a token, as its form and claims suggest. Nothing is verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword import decode_unverified
from watchword.errors import VerificationError, WrongTypeError
from watchword.providers.profiles import Kind, Members, ProviderName, media_type, profile_of, reason_of, recognised

#: How many marks decide: one may be there by chance, as others' subjects may begin with "agent_" too.
_ENOUGH = 2

#: Values of ``typ`` that name a kind of token of any provider (RFC 9449 section 4.2).
_KINDS_BY_TYPE = {"dpop+jwt": "dpop_proof"}


@dataclass(frozen=True)
class Detection:
    """The provider whose token this looks like, **unverified**: anybody can write a token that looks like this.

    ``provider`` is ``None`` unless the token has several marks of exactly one provider; ``kind`` is which of the
    provider's tokens it is (``access_token``, ``id_token``, ...); ``reasons`` list the marks, in sentences that quote
    nothing of the token. ``problems`` list why the provider's verifier, with its default settings, would reject these
    claims even if the signature were valid; if there are none, it may still reject the token.
    """

    provider: ProviderName | None
    kind: str | None
    reasons: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def verified(self) -> Literal[False]:
        """Always ``False``: the signature was not checked."""
        return False

    def __repr__(self) -> str:
        """Return the fields, marked as unverified."""
        fields = f"provider={self.provider!r}, kind={self.kind!r}, reasons={self.reasons!r}, problems={self.problems!r}"
        return f"Detection(UNVERIFIED, {fields})"


def detect(token: str | bytes) -> Detection:
    """Return the provider whose token this looks like, and its kind: **nothing is verified**.

    A provider is named if the token has several of its marks, and at most one of every other's. Use the answer only to
    choose a verifier. Never raises for the content of a token; raises ``TypeError`` if it is neither ``str`` nor
    ``bytes``.
    """
    try:
        decoded = decode_unverified(token)
    except VerificationError as error:
        return Detection(None, None, (f"it is not the compact form of a signed token ({error.code})",))
    header, claims = decoded.header, decoded.claims
    if claims is None:
        return Detection(None, None, ("its payload is not a JSON object",))
    typ = media_type(header)
    if typ in _KINDS_BY_TYPE:
        return Detection(None, _KINDS_BY_TYPE[typ], (f'its type is "{typ}", which is no provider\'s own',))
    seen = recognised(header, claims)
    found = {name: one for name, one in seen.items() if len(one.reasons) >= _ENOUGH}
    if len(found) == 1:
        ((provider, one),) = found.items()
        return _examined(provider, one, header, claims)
    if found:
        reasons = [f"it could be {name}'s: {'; '.join(one.reasons)}" for name, one in found.items()]
    else:
        reasons = [f"one mark of {name}'s tokens is not enough: {one.reasons[0]}" for name, one in seen.items()]
    return Detection(None, None, tuple(reasons) or ("it has the marks of no provider's tokens",))


def _examined(provider: ProviderName, kind: Kind, header: Members, claims: Members) -> Detection:
    """Check claims that have a provider's marks by the provider's own rules."""
    profile = profile_of(provider)
    try:
        if kind.name in profile.accepted:
            profile.rules().form(header, claims)
    except WrongTypeError as error:
        return Detection(None, None, (f"it has marks of {provider}'s tokens, but {error.detail}",))
    except VerificationError as error:
        return Detection(provider, kind.name, kind.reasons, (f"{reason_of(error)}: {error.detail}",))
    return Detection(provider, kind.name, kind.reasons)


__all__ = ["Detection", "detect"]
