"""The metadata of a protected resource (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def metadata_document(
    resource: str, *, issuers: Iterable[str], scopes: Iterable[str], algorithms: Iterable[str], dpop_required: bool
) -> dict[str, Any]:
    """Return the document (section 2).

    ``issuers`` are the authorization servers, ``scopes`` those that may be requested, ``algorithms`` those of DPoP
    proofs; ``dpop_required`` says whether every token must be bound to a key.
    """
    document: dict[str, Any] = {"resource": resource, "authorization_servers": list(issuers)}
    supported = sorted(set(scopes))
    if supported:
        document["scopes_supported"] = supported
    document["bearer_methods_supported"] = ["header"]
    document["dpop_signing_alg_values_supported"] = list(algorithms)
    if dpop_required:
        document["dpop_bound_access_tokens_required"] = True
    return document


__all__ = ["metadata_document"]
