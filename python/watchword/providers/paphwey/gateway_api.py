"""The paths and names of the gateway's API that Paphwey does not publish, so they are settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

#: Published.
CREATE_PATH = "/api/v1/agent/delegations"

#: Stands for the delegation's id in a path.
ID = "{delegation_id}"

_PATH = re.compile(r"(/([A-Za-z0-9_~-][A-Za-z0-9._~-]*|\{delegation_id\}))+", flags=re.ASCII)


@dataclass(frozen=True, kw_only=True)
class GatewayApi:
    """The paths and member names of the gateway's API that are **not public**. The defaults are assumptions.

    Only the path of ``create_delegation`` and the members of requests are published. Members of answers have the names
    of the SDK's attributes by default. The names of errors are alternatives, of which the first that the answer has
    counts; a dot leads into an object.

    Raises ``TypeError`` or ``ValueError`` if a value is invalid.
    """

    present_path: str = "/api/v1/agent/delegations/{delegation_id}/present"
    """The path of ``present_delegation``. Without ``{delegation_id}``, the id is a member of the body."""
    verify_path: str = "/api/v1/agent/outcomes/verify"
    """The path of ``verify_outcome``."""
    delegation_id: str = "delegation_id"
    """The id of a new delegation: a string."""
    status: str = "status"
    """The status of a new delegation: a string."""
    approval_url: str = "approval_url"
    """The URL for the principal's device: https, or http to loopback if the gateway itself is not on https."""
    challenge_id: str = "challenge_id"
    """The id of a challenge: a string; it may be absent."""
    valid: str = "valid"
    """Whether an attestation is valid: a boolean."""
    claims: str = "claims"
    """The claims of a valid attestation: an object."""
    delegation: str = "delegation"
    """The snapshot of the delegation: an object; it may be absent."""
    actor_chain: str = "actor_chain"
    """The principal and the agent: an object; it may be absent."""
    receipt_id: str = "receipt_id"
    """The receipt: a string; it may be absent."""
    cnf_jwk: str = "cnf_jwk"
    """The confirmation key: a JWK; it may be absent."""
    error_code: tuple[str, ...] = ("code", "error.code", "error")
    """The code of an error, or the reason why an attestation is invalid: a string."""
    trace_id: tuple[str, ...] = ("trace_id", "error.trace_id")
    """The trace id of an error: a string."""
    retry_after_seconds: tuple[str, ...] = ("retry_after_seconds", "error.retry_after_seconds")
    """The seconds to wait after a 429 that has no ``Retry-After`` header (RFC 9110 section 10.2.3): a number."""
    invalid_attestation_statuses: tuple[int, ...] = ()
    """The statuses, besides the ``valid`` of a 2xx, by which ``verify_outcome`` says that an attestation is invalid."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if field.name == "invalid_attestation_statuses":
                _check_tuple(field.name, value, int)
            elif isinstance(field.default, tuple):
                _check_tuple(field.name, value, str)
            elif not isinstance(value, str):
                raise TypeError(f"{field.name} must be str, not {type(value).__name__}")
            elif field.name.endswith("_path") and _PATH.fullmatch(value) is None:
                raise ValueError(f"{field.name} is {value!r}: it must be a path such as {field.default}")
            elif not value:
                raise ValueError(f"{field.name} must not be empty")
        if ID in self.verify_path:
            raise ValueError("verify_path must not contain {delegation_id}: the request has it as a member")
        for group in _GROUPS:
            if len({getattr(self, name) for name in group}) < len(group):
                raise ValueError(f"{', '.join(group)} must have different names")


def _check_tuple(name: str, value: object, of: type) -> None:
    if not isinstance(value, tuple) or not all(isinstance(one, of) for one in value):
        raise TypeError(f"{name} must be a tuple of {of.__name__}")


_GROUPS = (
    ("delegation_id", "status"),
    ("approval_url", "challenge_id"),
    ("valid", "claims", "delegation", "actor_chain", "receipt_id", "cnf_jwk"),
)


__all__ = ["CREATE_PATH", "ID", "GatewayApi"]
