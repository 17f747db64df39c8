"""The rules that the tokens of each provider must meet: one module a provider, and the only place that has them.

A provider's functions, ``watchword verify --provider`` and :func:`watchword.providers.detect` all call the
:class:`Rules` of that provider, so a token is valid for all of them or for none. The same module recognises the
provider's kinds of tokens. No provider's extra is needed.
"""

from __future__ import annotations

import abc
import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

from watchword import KeySet, Policy, VerifiedToken
from watchword.errors import ErrorCode, VerificationError, WrongTypeError

if TYPE_CHECKING:
    from watchword import AnyAudience

#: The providers, by the names of their packages.
ProviderName = Literal["agentwrit", "authgent", "authpi", "clawauth", "paphwey"]

PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)

Members = Mapping[str, Any]


class Kind(NamedTuple):
    """The kind of token that something looks like, and the marks that show it: each could be there without the others.

    One is enough for a verifier to reject the token as another provider's (:func:`check_not_anothers`);
    :func:`watchword.providers.detect` needs several.
    """

    name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rules(abc.ABC):
    """What one verifier requires of one provider's tokens. The defaults are those of the provider's verifier.

    ``issuers`` are the accepted values of ``iss`` (empty: any); ``audience``, ``algorithms``, ``types``,
    ``leeway`` (seconds) and ``bound_tokens`` are as in :class:`~watchword.Policy`. ``required`` lists claims that must
    be present in addition to those of ``always_required``, which every token of the provider has.
    """

    issuers: tuple[str, ...] = ()
    audience: str | tuple[str, ...] | AnyAudience | None = None
    algorithms: tuple[str, ...] | None = None
    types: tuple[str | None, ...] = ("JWT", None)
    required: tuple[str, ...] = ()
    leeway: float = 5
    bound_tokens: Literal["reject", "accept"] = "reject"

    always_required: ClassVar[tuple[str, ...]] = ("exp",)
    #: Whether the kernel compares ``iss``; if not, :meth:`check` does.
    kernel_checks_issuer: ClassVar[bool] = True

    def requirements(self) -> dict[str, Any]:
        """Return what the kernel checks, as arguments of ``Policy`` or ``Verifier``, without ``issuer``."""
        return {
            "audience": self.audience,
            "algorithms": self.algorithms,
            "types": self.types,
            "leeway": self.leeway,
            "required": tuple(dict.fromkeys((*self.always_required, *self.required))),
            "bound_tokens": self.bound_tokens,
        }

    def policy(self) -> Policy:
        """Return what the kernel checks. Raises ``TypeError`` or ``ValueError`` if the settings are invalid."""
        issuers = self.issuers if self.kernel_checks_issuer else ()
        return Policy(issuer=issuers[0] if len(issuers) == 1 else issuers or None, **self.requirements())

    @abc.abstractmethod
    def form(self, header: Members, claims: Members) -> object:
        """Check what depends on the claims alone: the kind of token, and the types and ranges of the provider's claims.

        The members may be unverified. Raises :class:`~watchword.VerificationError`: ``WrongTypeError`` if it is another
        kind of token.
        """

    @abc.abstractmethod
    def check(self, token: VerifiedToken, *, now: float, keys: KeySet | None = None) -> object:
        """Check what the kernel's policy cannot: :meth:`form`, and what depends on a time or on keys.

        ``token`` was verified under :meth:`policy` as of ``now`` (Unix seconds) with ``keys``, if they are known.
        Returns what a provider's verifier builds its result from. Raises :class:`~watchword.VerificationError`.
        """


class ProviderRuleError(VerificationError):
    """One of the provider's own rules rejected the token. ``reason`` is the provider's code, finer than ``code``."""

    code = ErrorCode.MALFORMED_CLAIMS

    def __init__(self, detail: str | None = None, *, reason: str = "malformed_claims") -> None:
        super().__init__(detail)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def reason_of(error: VerificationError) -> str:
    """Return the most exact stable code of an error: the provider's own if there is one, else the value of ``code``."""
    return error.reason if isinstance(error, ProviderRuleError) else error.code.value


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One provider: its rules, and the marks of its tokens.

    ``recognise`` returns the kind of the provider's tokens whose marks a header and claims have, if any; they may be
    unverified. ``accepted`` are the kinds that ``rules()`` accepts. ``publishes_keys`` is whether its keys can be
    fetched: from ``jwks_path`` below the issuer, or (``None``) from the ``jwks_uri`` of the issuer's metadata.
    ``read_pem`` makes a key set of a public key in PEM, with the ``kid`` that the provider's tokens have.
    ``bound_tokens`` is what its verifier does with tokens that are bound to a key; ``None`` if its caller chooses.
    ``not_checked`` lists what cannot be checked with the token alone.
    """

    rules: type[Rules]
    recognise: Callable[[Members, Members], Kind | None]
    accepted: tuple[str, ...]
    publishes_keys: bool
    jwks_path: str | None = None
    read_pem: Callable[[str | bytes], KeySet] = KeySet.from_pem
    bound_tokens: Literal["reject", "accept"] | None = "reject"
    not_checked: tuple[str, ...] = ()


@functools.cache
def profile_of(provider: str) -> Profile:
    """Return the profile of a provider. Raises ``ValueError`` unless the name is one of :data:`PROVIDERS`."""
    if provider not in PROVIDERS:
        raise ValueError(f"provider is {provider!r}: it must be one of {', '.join(PROVIDERS)}")
    profile: Profile = importlib.import_module(f"{__name__}.{provider}").PROFILE
    return profile


def recognised(header: Members, claims: Members) -> dict[ProviderName, Kind]:
    """Return the providers whose marks a token has, with the kinds. It may have the marks of several providers."""
    kinds = {provider: profile_of(provider).recognise(header, claims) for provider in PROVIDERS}
    return {provider: kind for provider, kind in kinds.items() if kind is not None}


def check_not_anothers(header: Members, claims: Members, provider: ProviderName) -> None:
    """Raise :class:`~watchword.WrongTypeError` if a token has the marks of other providers and none of this one's.

    For providers whose own tokens have no reliable marks (RFC 8725 section 3.12).
    """
    # The provider's own marks first: nearly every token has them.
    if profile_of(provider).recognise(header, claims) is None and recognised(header, claims):
        raise WrongTypeError(
            f"the token has the marks of {' and '.join(recognised(header, claims))} tokens, and none of {provider}"
        )


def media_type(header: Members) -> str | None:
    """Return ``typ`` in the form in which media types are compared; ``None`` if there is none.

    That is lower case, of ASCII letters only, and without ``application/`` unless the rest has a slash (RFC 7515
    section 4.1.9).
    """
    typ = header.get("typ")
    if typ is None:
        return None
    text = str(typ)
    # Unicode has letters beside K whose lower case is k.
    lower = text.lower() if text.isascii() else text
    rest = lower.removeprefix("application/")
    return lower if "/" in rest else rest


__all__ = [
    "PROVIDERS",
    "Kind",
    "Members",
    "Profile",
    "ProviderName",
    "ProviderRuleError",
    "Rules",
    "check_not_anothers",
    "media_type",
    "profile_of",
    "reason_of",
    "recognised",
]
