"""What each provider's tokens look like, and what they must be: one file a provider.

A profile says by which algorithms and of which types a provider's tokens are, which claims they have, and what else has
to hold of one that the kernel verified. The same file knows the kinds of tokens of that provider apart.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import WrongTypeError

#: The providers, by the names of their packages.
ProviderName = Literal["agentwrit", "authgent", "authpi", "clawauth", "paphwey"]

PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)

Members = Mapping[str, Any]


class Kind(NamedTuple):
    """What kind of token something looks like, and why."""

    name: str
    reasons: tuple[str, ...]


class Check(Protocol):
    """What has to hold beside what a policy can say. ``keys`` are those that the token may be signed with, where they
    are in hand; ``audience`` is whom it may be for, where that was said.

    Raises :class:`~watchword.VerificationError`.
    """

    def __call__(self, token: VerifiedToken, *, audience: Collection[str], keys: KeySet | None) -> None: ...


@dataclass(frozen=True)
class Profile:
    """What the tokens of one provider must be.

    ``algorithms`` may be ``None``: the provider does not say. ``publishes_keys`` is whether its keys can be fetched.
    ``recognise`` gets a header and claims that nobody verified, and says which kind of this provider's tokens they look
    like, if any. ``not_checked`` is what nobody can tell from the token alone.
    """

    algorithms: tuple[str, ...] | None
    types: tuple[str | None, ...]
    required: tuple[str, ...]
    publishes_keys: bool
    check: Check
    recognise: Callable[[Members, Members], Kind | None]
    not_checked: str | None = None


@functools.cache
def profile_of(provider: str) -> Profile:
    """The profile of a provider. Raises ``ValueError`` for a name that is none of :data:`PROVIDERS`."""
    if provider not in PROVIDERS:
        raise ValueError(f"there is no provider of that name; there are {', '.join(PROVIDERS)}")
    profile: Profile = importlib.import_module(f"{__name__}.{provider}").PROFILE
    return profile


def recognised(header: Members, claims: Members) -> dict[ProviderName, Kind]:
    """Whose tokens something looks like. Several providers' marks may be on one token."""
    kinds = {provider: profile_of(provider).recognise(header, claims) for provider in PROVIDERS}
    return {provider: kind for provider, kind in kinds.items() if kind is not None}


def check_not_anothers(token: VerifiedToken, provider: ProviderName) -> None:
    """Raises :class:`~watchword.WrongTypeError` for a token with the marks of other providers and none of this one's.

    For providers whose own tokens have no marks that can be relied on (RFC 8725 section 3.12).
    """
    header, claims = token.header, token.claims
    # Its own first: that is what nearly every token is.
    if profile_of(provider).recognise(header, claims) is None and recognised(header, claims):
        raise WrongTypeError("the token looks like another provider's, and not like this one's")


__all__ = [
    "PROVIDERS",
    "Check",
    "Kind",
    "Members",
    "Profile",
    "ProviderName",
    "check_not_anothers",
    "profile_of",
    "recognised",
]
