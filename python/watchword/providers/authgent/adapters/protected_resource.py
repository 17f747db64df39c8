"""What a resource server says of itself at ``/.well-known/oauth-protected-resource`` (RFC 9728)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from typing import Any

#: RFC 9728 section 1.2: no fragment. http is for development.
_RESOURCE = re.compile(r"(?P<origin>https?://[^/?#\s]+)(?P<rest>(?P<path>[^?#\s]*)(?:\?[^#\s]*)?)")


@dataclass
class ProtectedResourceMetadata:
    """The metadata of a protected resource; the fields are those of RFC 9728 section 2.

    ``resource_signing_alg_values_supported`` is about signed *answers* of the resource. It is ``["ES256"]`` where
    nothing is said, as authgent has it; ``[]`` leaves it out. Raises ``ValueError`` unless ``resource`` is an absolute
    http or https URL without a fragment.
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
        """Checks the resource's name."""
        if not isinstance(self.resource, str) or _RESOURCE.fullmatch(self.resource) is None:
            raise ValueError("resource must be an absolute http or https URL without a fragment (RFC 9728 section 1.2)")

    @property
    def url(self) -> str:
        """Where clients look for this: the well-known path stands before the resource's own (RFC 9728 section 3.1)."""
        match = _RESOURCE.fullmatch(self.resource)
        assert match is not None, "checked when it was made"  # noqa: S101  # mypy cannot know
        rest = match["rest"] if match["path"] != "/" else match["rest"][1:]
        return f"{match['origin']}/.well-known/oauth-protected-resource{rest}"

    def to_dict(self) -> dict[str, Any]:
        """The document; what is empty is left out."""
        members = {one.name: getattr(self, one.name) for one in fields(self)}
        always = ("resource", "authorization_servers")
        return {name: value for name, value in members.items() if name in always or value}

    def to_json(self, indent: int = 2) -> str:
        """The document as JSON."""
        return json.dumps(self.to_dict(), indent=indent)

    def fastapi_route(self) -> dict[str, Any]:
        """The document, for an endpoint to return."""
        return self.to_dict()


__all__ = ["ProtectedResourceMetadata"]
