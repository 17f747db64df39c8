"""ClawAuth's tokens: those of agents, signed with ES256. Its tokens for people are signed with HS256.

ClawAuth does not publish the names of the claims, so they are a setting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchword import ANY_AUDIENCE, KeySet, VerifiedToken
from watchword.errors import MalformedClaimsError, MissingClaimError, WrongAudienceError, WrongTypeError
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, media_type

AGENT_TOKEN = "agent_token"  # noqa: S105 - a kind, not a secret

#: The prefix of agents' ids.
AGENT_ID_PREFIX = "agent_"


@dataclass(frozen=True, kw_only=True)
class ClaimNames:
    """The claim of each of an agent's attributes, or several names that it may have.

    If a token has several of them, they must be equal. The defaults are the attributes' names, in both spellings if
    ClawAuth has two; ``id`` may also be ``sub`` (RFC 7519 section 4.1.2). Scopes may also be one string, separated by
    spaces (RFC 9068 section 2.2.3).

    Raises ``TypeError`` or ``ValueError`` if a name is invalid.
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
                raise TypeError(f"{attribute} must be the name of a claim, or a tuple of names")
            if not names or not all(names):
                raise ValueError(f"{attribute} must be the name of a claim, which is not empty")

    def read(self, claims: Members) -> dict[str, Any]:
        """Return the attributes in a token's claims, ``id`` among them.

        Raises :class:`~watchword.VerificationError` if there is no ``id``, or if one of them is malformed.
        """
        found = self.read_any(claims)
        if "id" not in found:
            raise MissingClaimError("the token has no claim for the agent's id")
        return found

    def known(self) -> frozenset[str]:
        """Return the names of all attributes."""
        return frozenset(name for attribute in _READ for name in self._names(attribute))

    def read_any(self, claims: Members) -> dict[str, Any]:
        """Return the attributes in a token's claims, or in the members of another object that describes an agent.

        Raises :class:`~watchword.VerificationError` if one of them is malformed.
        """
        return {name: value for name in _READ if (value := self._get(name, claims)) is not None}

    def _get(self, attribute: str, claims: Members) -> Any:  # noqa: ANN401 - of any attribute
        values = [
            _READ[attribute](name, claims[name]) for name in self._names(attribute) if claims.get(name) is not None
        ]
        if any(other != values[0] for other in values[1:]):
            raise MalformedClaimsError(f"the values of {attribute} differ: {', '.join(self._names(attribute))}")
        return values[0] if values else None

    def _names(self, attribute: str) -> tuple[str, ...]:
        names = getattr(self, attribute)
        return (names,) if isinstance(names, str) else names


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of agents' tokens.

    ``service_id`` is the service itself: without an ``audience``, a token that has ``aud`` must name it.
    ``claim_names`` are the names of the claims, and ``agent_id_prefix`` is the prefix of agents' ids.
    """

    algorithms: tuple[str, ...] | None = ("ES256",)
    service_id: str | None = None
    claim_names: ClaimNames = field(default_factory=ClaimNames)
    agent_id_prefix: str = AGENT_ID_PREFIX

    def requirements(self) -> dict[str, Any]:
        """As for every provider; :meth:`check` compares ``service_id``."""
        return {**super().requirements(), "audience": ANY_AUDIENCE if self._checks_service else self.audience}

    def form(self, header: Members, claims: Members) -> dict[str, Any]:
        """Return the attributes of the agent, by their names in ``Agent``."""
        del header
        agent = self.claim_names.read(claims)
        if not agent["id"].startswith(self.agent_id_prefix):
            raise WrongTypeError(f"the agent's id does not begin with {self.agent_id_prefix!r}")
        return agent

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> dict[str, Any]:
        """Check that the token is an agent's, and for this service if it has ``aud``. Returns the attributes."""
        del now, keys  # the kernel has checked all dates and signatures
        if self._checks_service and token.audience and self.service_id not in token.audience:
            raise WrongAudienceError('"aud" does not name this service')
        return self.form(token.header, token.claims)

    @property
    def _checks_service(self) -> bool:
        return self.audience is None and self.service_id is not None


def recognise(header: Members, claims: Members) -> Kind | None:
    """Return ``Kind`` if this looks like the token of one of ClawAuth's agents, else ``None``."""
    if header.get("alg") != "ES256" or media_type(header) not in (None, "jwt"):
        return None
    names = [claims.get(name) for name in ClaimNames.id]
    if not any(isinstance(name, str) and name.startswith(AGENT_ID_PREFIX) for name in names):
        return None
    reasons = [f'its subject is an agent, whose id begins with "{AGENT_ID_PREFIX}"']
    reasons += [f"there is a claim for the agent's {what}" for what, among in _MARKS.items() if among & claims.keys()]
    return Kind(AGENT_TOKEN, tuple(reasons))


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


#: The claims of an agent that other issuers' tokens rarely have.
_MARKS = {
    "trust score": {"trust_score", "trustScore"},
    "id": {"agent_id", "agentId"},
    "roles": {"roles"},
    "scopes": {"scopes", "permissions"},
}

#: What parses the claim of each attribute.
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
