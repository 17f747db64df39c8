"""The names of an attestation's claims: Paphwey does not publish them, so they are a setting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from watchword.errors import MalformedClaimsError


@dataclass(frozen=True, kw_only=True)
class ClaimNames:
    """The names of an attestation's members. The defaults are those of the SDK's own arguments and attributes.

    They are looked up in the token's claims and, if it has a credential, in the credential's subject; the last four are
    members of the approved action. The registered claims (RFC 7519) and ``cnf`` (RFC 7800) keep their names.

    Raises ``TypeError`` if a name is not a string, ``ValueError`` if it is empty or used twice.
    """

    delegation_id: str = "delegation_id"
    """The delegation that the attestation is bound to: a string. Looked up in the snapshot, too."""
    delegation: str = "delegation"
    """The snapshot of the delegation: an object."""
    actor_chain: str = "actor_chain"
    """The principal and the agent: an object."""
    receipt_id: str = "receipt_id"
    """The receipt: a string."""
    action: str = "action_context"
    """The approved action: an object."""
    scope: str = "scope"
    amount_minor: str = "amount_minor"
    currency: str = "currency"
    merchant: str = "merchant"

    def __post_init__(self) -> None:
        for field in fields(self):
            name = getattr(self, field.name)
            if not isinstance(name, str):
                raise TypeError(f"{field.name} must be the name of a claim")
            if not name:
                raise ValueError(f"{field.name} must not be empty")
        for group in (_CLAIMS, _OF_AN_ACTION):
            if len({getattr(self, attribute) for attribute in group}) < len(group):
                raise ValueError(f"{', '.join(group)} must have different names")


_CLAIMS = ("delegation_id", "delegation", "actor_chain", "receipt_id", "action")
_OF_AN_ACTION = ("scope", "amount_minor", "currency", "merchant")


class Places:
    """The objects in which an attestation's members are looked up. If several have a member, it must be equal."""

    def __init__(self, *objects: Mapping[str, Any]) -> None:
        self._objects = objects

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return the member of this name; ``None`` if it is absent or null.

        Raises :class:`~watchword.MalformedClaimsError` if two objects have it with different values.
        """
        values = [found for one in self._objects if (found := one.get(name)) is not None]
        # In Python true equals 1 and 1 equals 1.0, deep inside of objects too; their texts differ.
        if len({_text(one) for one in values}) > 1:
            raise MalformedClaimsError(f'the token and its credential have different values of "{name}"')
        return values[0] if values else None

    def text(self, name: str) -> str | None:
        """Return a member that is a string and not empty; as :meth:`get` otherwise."""
        found = self.get(name)
        if found is not None and not (isinstance(found, str) and found):
            raise MalformedClaimsError(f'"{name}" must be a string that is not empty')
        return found

    def members(self, name: str) -> dict[str, Any] | None:
        """Return a member that is an object; as :meth:`get` otherwise."""
        found = self.get(name)
        if found is not None and not isinstance(found, dict):
            raise MalformedClaimsError(f'"{name}" must be an object')
        return found


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
