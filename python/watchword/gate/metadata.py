"""The metadata of a protected resource (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_url(resource: str) -> str:
    """Return the URL of the metadata of ``resource``: the well-known path precedes the resource's (section 3.1).

    Raises ``ValueError`` unless ``resource`` is an absolute http or https URL without a fragment (section 1.2).
    """
    parts = urlsplit(resource)
    if parts.scheme not in ("http", "https") or not parts.netloc or "#" in resource:
        raise ValueError(
            f"resource is {resource!r}: it must be an absolute http or https URL without a fragment (RFC 9728 section "
            "1.2)"
        )
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{'' if parts.path == '/' else parts.path}{query}"


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


__all__ = ["WELL_KNOWN", "metadata_document", "metadata_url"]
