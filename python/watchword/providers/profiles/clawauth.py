"""ClawAuth's tokens: those of agents, by ES256. What it signs by HS256 is for people, and never an agent's.

ClawAuth does not publish the names of the claims, so they are a setting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchword._kernel import ANY_AUDIENCE, KeySet, VerifiedToken
from watchword.errors import MalformedClaimsError, MissingClaimError, WrongAudienceError, WrongTypeError
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, media_type

AGENT_TOKEN = "agent_token"  # noqa: S105 - a kind, not a secret

#: How the ids of agents begin.
AGENT_ID_PREFIX = "agent_"


@dataclass(frozen=True, kw_only=True)
class ClaimNames:
    """The claim of each of an agent's attributes, or several, one of which is to be there.

    Where several are, they must say the same. The defaults are the attributes' names, in both spellings where ClawAuth
    has two; ``id`` may also be ``sub`` (RFC 7519 section 4.1.2). Scopes may also be one string with spaces between them
    (RFC 9068 section 2.2.3).

    Raises ``TypeError`` or ``ValueError`` for what are no names.
    """

    id: str | tuple[str, ...] = ("sub", "agent_id", "agentId")
    name: str | tuple[str, ...] = "name"
    email: str | tuple[str, ...] = "email"
    trust_score: str | tuple[str, ...] = ("trust_score", "trustScore")
    roles: str | tuple[str, ...] = "roles"
    scopes: str | tuple[str, ...] = ("scopes", "permissions", "scope")

    def __post_init__(self) -> None:
        for attribute in _READ:
            names = self._names(attribute)
            if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
                raise TypeError(f"{attribute} must be the name of a claim, or a tuple of several")
            if not names or not all(names):
                raise ValueError(f"{attribute} must name a claim")

    def read(self, claims: Members) -> dict[str, Any]:
        """The attributes that a token's claims say, ``id`` among them.

        Raises :class:`~watchword.VerificationError` if they name no agent, or one of them is malformed.
        """
        found = {name: value for name in _READ if (value := self._get(name, claims)) is not None}
        if "id" not in found:
            raise MissingClaimError("the token names no agent")
        return found

    def _get(self, attribute: str, claims: Members) -> Any:  # noqa: ANN401 - of any attribute
        said = [_READ[attribute](name, claims[name]) for name in self._names(attribute) if claims.get(name) is not None]
        if any(other != said[0] for other in said[1:]):
            raise MalformedClaimsError(f"the token says its {attribute} twice, and differently")
        return said[0] if said else None

    def _names(self, attribute: str) -> tuple[str, ...]:
        names = getattr(self, attribute)
        return (names,) if isinstance(names, str) else names


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of agents' tokens.

    ``service_id`` is the service itself: if no ``audience`` is set, a token that names audiences must name it.
    ``claim_names`` says which claims mean what, and ``agent_id_prefix`` how agents' ids begin.
    """

    algorithms: tuple[str, ...] | None = ("ES256",)
    service_id: str | None = None
    claim_names: ClaimNames = field(default_factory=ClaimNames)
    agent_id_prefix: str = AGENT_ID_PREFIX

    def requirements(self) -> dict[str, Any]:
        """As everybody's; for the service alone, :meth:`check` decides."""
        return {**super().requirements(), "audience": ANY_AUDIENCE if self._checks_service else self.audience}

    def form(self, header: Members, claims: Members) -> dict[str, Any]:
        """Returns what the token says of its agent, by the names of an ``Agent``'s attributes."""
        del header
        agent = self.claim_names.read(claims)
        if not agent["id"].startswith(self.agent_id_prefix):
            raise WrongTypeError("the token is about somebody who is no agent")
        return agent

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> dict[str, Any]:
        """The token is an agent's, and for this service if it is for any. Returns what it says of the agent."""
        del now, keys  # the token's own dates and signature are all there are
        if self._checks_service and token.audience and self.service_id not in token.audience:
            raise WrongAudienceError("the token is meant for other services")
        return self.form(token.header, token.claims)

    @property
    def _checks_service(self) -> bool:
        return self.audience is None and self.service_id is not None


def recognise(header: Members, claims: Members) -> Kind | None:
    """Whether this looks like the token of one of ClawAuth's agents."""
    if header.get("alg") != "ES256" or media_type(header) not in (None, "jwt"):
        return None
    names = [claims.get(name) for name in ClaimNames.id]
    if any(isinstance(name, str) and name.startswith(AGENT_ID_PREFIX) for name in names):
        reason = f'it is about an agent whose id begins with "{AGENT_ID_PREFIX}"'
        return Kind(AGENT_TOKEN, (reason, "it is signed by ES256"))
    return None


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise MalformedClaimsError(f'"{name}" must be a string')
    return value


def _id(name: str, value: object) -> str:
    if not _text(name, value):
        raise MalformedClaimsError(f'"{name}" must not be empty')
    return str(value)


def _score(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 10:
        raise MalformedClaimsError(f'"{name}" must be a number from 0 to 10')
    return float(value)


def _strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MalformedClaimsError(f'"{name}" must be a list of strings')
    return list(value)


def _scopes(name: str, value: object) -> list[str]:
    return [scope for scope in value.split(" ") if scope] if isinstance(value, str) else _strings(name, value)


#: How each attribute is read of its claim.
_READ: dict[str, Callable[[str, object], object]] = {
    "id": _id,
    "name": _text,
    "email": _text,
    "trust_score": _score,
    "roles": _strings,
    "scopes": _scopes,
}


PROFILE = Profile(
    rules=Rules,
    recognise=recognise,
    accepted=(AGENT_TOKEN,),
    publishes_keys=False,
)
