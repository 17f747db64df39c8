"""SPIFFE IDs (SPIFFE ID standard, section 2).

parse_spiffe_id("spiffe://example.org/ns/prod/sa/web")  # ("example.org", ("ns", "prod", "sa", "web"))
"""

from __future__ import annotations

from watchword._kernel import parse_spiffe_id

#: What a SPIFFE ID, and the name of a trust domain, begins with.
SPIFFE_SCHEME = "spiffe://"


def trust_domain_of(issuer: str) -> str | None:
    """Return ``example.org`` for the issuer ``spiffe://example.org``; ``None`` if it is no SPIFFE trust domain."""
    return issuer.removeprefix(SPIFFE_SCHEME) if issuer.startswith(SPIFFE_SCHEME) else None


__all__ = ["SPIFFE_SCHEME", "parse_spiffe_id", "trust_domain_of"]
