"""SPIFFE IDs (SPIFFE ID standard, section 2).

parse_spiffe_id("spiffe://example.org/ns/prod/sa/web")  # ("example.org", ("ns", "prod", "sa", "web"))
"""

from __future__ import annotations

from watchword._kernel import parse_spiffe_id

#: What a SPIFFE ID, and the name of a trust domain, begins with.
SPIFFE_SCHEME = "spiffe://"

__all__ = ["SPIFFE_SCHEME", "parse_spiffe_id"]
