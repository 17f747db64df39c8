"""What a gate checks requests by at one moment: compiled, and replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watchword._kernel import GateGuard, GateRules, Policy, PublicOrigin, TokenCache, metadata_url
from watchword.gate.route import Requirements, Route
from watchword.gate.trusted_proxy import TrustedProxy

if TYPE_CHECKING:
    from watchword.dpop import DpopVerifier, Nonces
    from watchword.issuer_table import IssuerEntry, IssuerTable
    from watchword.jwks.source import KeySource


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a gate other than its routes and its Verifier; see :class:`watchword.gate.Gate`."""

    origin: PublicOrigin
    resource: str
    metadata_url: str
    resource_metadata: str
    realm: str | None
    identity_prefix: str
    proxy: TrustedProxy
    identity_secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        *,
        public_url: str | Iterable[str],
        resource: str | None = None,
        resource_metadata: str | None = None,
        realm: str | None = None,
        identity_prefix: str = "X-Auth-",
        identity_secret: str | None = None,
        proxy: TrustedProxy | None = None,
    ) -> Settings:
        """Return the settings with their defaults. Raises ``TypeError`` or ``ValueError`` if one is invalid."""
        origin = PublicOrigin(public_url)
        resource = origin.urls[0] if resource is None else resource
        url = metadata_url(resource)
        metadata, trusted = resource_metadata or url, proxy or TrustedProxy()
        return cls(origin, resource, url, metadata, realm, identity_prefix, trusted, identity_secret)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The compiled rules, and what they are used with. With slots, as they are read for every request."""

    table: IssuerTable
    entries: tuple[IssuerEntry, ...]
    routes: tuple[Route, ...]
    settings: Settings
    rules: GateRules
    only: KeySource | None
    """The source of the keys, if there is one issuer only."""
    dpop: DpopVerifier
    nonces: Nonces | None
    cache: TokenCache | None

    def guard(self, requirements: Requirements) -> GateGuard:
        """Return requirements, compiled for these rules."""
        return self.rules.guard(requirements.as_dict(), _policies(self.table, self.entries, requirements))


def check_issuers(table: IssuerTable, routes: Iterable[Requirements]) -> None:
    """Raise ``ValueError`` if a route names an issuer that is not configured."""
    for route in routes:
        unknown = [name for name in route.issuers or () if name not in table.entries]
        if unknown:
            raise ValueError(f"a route names the issuer {unknown[0]!r}, which is not configured: {list(table.entries)}")


def compile_state(
    table: IssuerTable,
    dpop: DpopVerifier,
    cache: TokenCache | None,
    routes: tuple[Route, ...],
    settings: Settings,
) -> State:
    """Compile the rules for the issuers of ``table``. Raises ``TypeError`` or ``ValueError`` if a route is invalid."""
    entries = tuple(table.entries.values())
    proxy = settings.proxy
    rules = GateRules(
        routes=[route.as_dict() for route in routes],
        policies=[_policies(table, entries, route) for route in routes],
        issuers=table.issuers,
        issuer_names=[entry.issuer.issuer for entry in entries],
        unknown_issuer_policy=table.unknown_issuer_policy,
        proofs=dpop.policy,
        algorithms=list(dpop.algorithms),
        origin=settings.origin,
        identity_prefix=settings.identity_prefix,
        identity_secret=settings.identity_secret,
        realm=settings.realm,
        resource_metadata=settings.resource_metadata,
        origin_headers=proxy.origin,
        certificate_header=proxy.certificate_header,
        certificate_format=proxy.certificate_format,
    )
    only = entries[0].source if len(entries) == 1 else None
    return State(table, entries, routes, settings, rules, only, dpop, dpop.nonces, cache)


def _policies(table: IssuerTable, entries: tuple[IssuerEntry, ...], requirements: Requirements) -> list[Policy | None]:
    """Return the policy of each issuer for a route; ``None`` if its tokens are not accepted there.

    An issuer that a route names may have been removed from the Verifier: the route then accepts none of its tokens.
    """
    accepted = requirements.issuers
    return [
        table.policy_of(entry, requirements.audience) if accepted is None or entry.issuer.issuer in accepted else None
        for entry in entries
    ]


__all__ = ["Settings", "State", "check_issuers", "compile_state"]
