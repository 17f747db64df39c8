"""A resource server's metadata at ``/.well-known/oauth-protected-resource`` (RFC 9728)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from typing import Any

#: RFC 9728 section 1.2: no fragment. http is allowed for development.
_RESOURCE = re.compile(r"(?P<origin>https?://[^/?#\s]+)(?P<rest>(?P<path>[^?#\s]*)(?:\?[^#\s]*)?)")


@dataclass
class ProtectedResourceMetadata:
    """The metadata of a protected resource; the fields are those of RFC 9728 section 2.

    ``resource_signing_alg_values_supported`` is about signed *responses* of the resource. It is ``["ES256"]`` by
    default, as in authgent; ``[]`` omits it. Raises ``ValueError`` unless ``resource`` is an absolute http or https URL
    without a fragment.
    """

    resource: str
    authorization_servers: list[str]
    scopes_supported: list[str] = field(default_factory=list)
    bearer_methods_supported: list[str] = field(default_factory=lambda: ["header"])
    resource_signing_alg_values_supported: list[str] = field(default_factory=lambda: ["ES256"])
    resource_documentation: str | None = None
    resource_policy_uri: str | None = None
    resource_tos_uri: str | None = None
    dpop_signing_alg_values_supported: list[str] | None = None
    dpop_bound_access_tokens_required: bool | None = None

    def __post_init__(self) -> None:
        """Check the resource's URL."""
        if not isinstance(self.resource, str) or _RESOURCE.fullmatch(self.resource) is None:
            raise ValueError(
                f"resource is {self.resource!r}: it must be an absolute http or https URL without a fragment"
                " (RFC 9728 section 1.2)"
            )

    @property
    def url(self) -> str:
        """The URL of the metadata: the well-known path precedes that of the resource (RFC 9728 section 3.1)."""
        match = _RESOURCE.fullmatch(self.resource)
        assert match is not None, "checked in __post_init__"  # noqa: S101  # for mypy
        rest = match["rest"] if match["path"] != "/" else match["rest"][1:]
        return f"{match['origin']}/.well-known/oauth-protected-resource{rest}"

    def to_dict(self) -> dict[str, Any]:
        """Return the document, without empty members."""
        members = {one.name: getattr(self, one.name) for one in fields(self)}
        always = ("resource", "authorization_servers")
        return {name: value for name, value in members.items() if name in always or value}

    def to_json(self, indent: int = 2) -> str:
        """Return the document as JSON."""
        return json.dumps(self.to_dict(), indent=indent)

    def fastapi_route(self) -> dict[str, Any]:
        """Return the document, for an endpoint."""
        return self.to_dict()


__all__ = ["ProtectedResourceMetadata"]
