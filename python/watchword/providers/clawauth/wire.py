"""What ClawAuth does not publish of its API: paths, names of members, and the exception of each status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from watchword.client import Request, path_segment
from watchword.providers.clawauth.arguments import check_text
from watchword.providers.clawauth.exceptions import (
    AuthenticationError,
    ClawAuthError,
    InsufficientPermissionsError,
    InvalidSignatureError,
    RateLimitError,
)
from watchword.providers.profiles.clawauth import ClaimNames

#: The arguments of each call, in a request; all may be members of the body.
_ARGUMENTS = {
    "verify": ("token",),
    "get_agent": ("agent_id",),
    "assign_role": ("agent_id", "role_id"),
    "revoke_role": ("agent_id", "role_id"),
    "report_trust": ("agent_id", "score", "reason"),
    "verify_email": ("registration_id", "code", "signature"),
}

#: Those that need not be a string that is not empty.
_ANY_VALUE = {"score", "reason"}

#: Those that a path may contain: the others are secrets, which would be written to logs, or are no text.
_IN_PATHS = {"agent_id", "role_id", "registration_id"}

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_ROUTE = re.compile(r"(GET|DELETE|POST|PUT|PATCH) (/(?:[!$-z|~]|\{[a-z_]+\})*)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, kw_only=True)
class WireFormat:
    """The parts of ClawAuth's API that are not public, each with a plain default.

    ``verify``, ``get_agent``, ``assign_role``, ``revoke_role``, ``report_trust`` and ``verify_email`` are the method
    and the path of a call. A path may contain ``{agent_id}``, ``{role_id}`` and ``{registration_id}`` if the call has
    that argument, and those of a service ``{service_id}``; the other arguments are members of the JSON body, in camel
    case (``roleId``). ``members`` has the names of those that are called otherwise: ``{"role_id": "role"}``.

    ``service_id_header`` is the header that contains the id of the service (``None``: none is sent). ``agent`` has the
    names of an agent's attributes in answers; if there are several names, any of them.

    ``statuses`` and ``codes`` choose the exception of an error: by its code, in snake case, else by its status, else
    :class:`~watchword.providers.clawauth.exceptions.ClawAuthError`.

    Raises ``ValueError`` or ``TypeError`` if a setting is invalid.
    """

    verify: str = "POST /auth/verify"
    get_agent: str = "GET /agents/{agent_id}"
    assign_role: str = "POST /agents/{agent_id}/roles"
    revoke_role: str = "DELETE /agents/{agent_id}/roles/{role_id}"
    report_trust: str = "POST /agents/{agent_id}/trust"
    verify_email: str = "POST /auth/verify-email"
    service_id_header: str | None = "X-Service-Id"
    members: Mapping[str, str] = field(default_factory=dict)
    agent: ClaimNames = field(
        default_factory=lambda: ClaimNames(
            id=("id", "agentId"), trust_score=("trustScore", "trust_score"), scopes=("permissions", "scopes")
        )
    )
    statuses: Mapping[int, type[ClawAuthError]] = field(
        default_factory=lambda: {401: AuthenticationError, 403: InsufficientPermissionsError, 429: RateLimitError}
    )
    codes: Mapping[str, type[ClawAuthError]] = field(
        default_factory=lambda: {"invalid_signature": InvalidSignatureError}
    )

    def __post_init__(self) -> None:
        for setting in ("members", "statuses", "codes"):
            object.__setattr__(self, setting, MappingProxyType(dict(getattr(self, setting))))
        for call in _ARGUMENTS:
            _check_route(call, getattr(self, call))
        name = self.service_id_header
        if name is not None and (not _HEADER.fullmatch(name) or name.lower() == "authorization"):
            raise ValueError(f"service_id_header is {name!r}: it must be the name of a header of its own")
        known = {argument for arguments in _ARGUMENTS.values() for argument in arguments}
        for argument, member in self.members.items():
            if argument not in known or not isinstance(member, str) or not member:
                raise ValueError(f"members has {argument!r}: it must give the names of some of {sorted(known)}")
        if not isinstance(self.agent, ClaimNames):
            raise TypeError("agent must be a ClaimNames")
        for kind in (*self.statuses.values(), *self.codes.values()):
            if not (isinstance(kind, type) and issubclass(kind, ClawAuthError)):
                raise TypeError("statuses and codes must contain classes of ClawAuth's exceptions")

    def member(self, argument: str) -> str:
        """Return the name of an argument as a member of a JSON object."""
        return self.members.get(argument, camel_case(argument))

    def request(self, call: str, arguments: Mapping[str, object], *, repeatable: bool = False) -> Request:
        """Return the request of a call; an argument that is ``None`` is not sent, ``service_id`` only in a path.

        Raises ``TypeError`` or ``ValueError`` if an argument is empty, or cannot be a segment of the path.
        """
        method, _, path = getattr(self, call).partition(" ")
        segments = {}
        body = {}
        for name, value in arguments.items():
            if name not in _ANY_VALUE:
                check_text(name, value)
            if f"{{{name}}}" in path:
                segments[name] = path_segment(str(value), what=name)
            elif value is not None and name != "service_id":
                body[self.member(name)] = value
        has_body = method not in ("GET", "DELETE")
        return Request(method, path.format(**segments), json=body if has_body else None, repeatable=repeatable)


def camel_case(name: str) -> str:
    """Return ``trustScore`` for ``trust_score``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def snake_case(name: str) -> str:
    """Return ``trust_score`` for ``trustScore`` or ``TRUST-SCORE``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _check_route(call: str, route: object) -> None:
    match = _ROUTE.fullmatch(route) if isinstance(route, str) else None
    if match is None:
        raise ValueError(f'{call} is {route!r}: it must be a method and a path, such as "POST /auth/verify"')
    method, path = match.groups()
    inside = set(_PLACEHOLDER.findall(path))
    allowed = _IN_PATHS.intersection(_ARGUMENTS[call])
    if call != "verify_email":
        allowed.add("service_id")
    if not inside <= allowed:
        raise ValueError(f"{call} is {route!r}: its path may contain only {sorted(allowed)} in braces")
    if method in ("GET", "DELETE") and not inside.issuperset(_ARGUMENTS[call]):
        raise ValueError(f"{call} is {route!r}: without a body, its path must contain all of {_ARGUMENTS[call]}")


__all__ = ["WireFormat", "camel_case", "snake_case"]
