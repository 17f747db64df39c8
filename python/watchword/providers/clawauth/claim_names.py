"""Which claims of an agent's token mean what: ClawAuth does not publish their names, so they are a setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from watchword.providers.clawauth.types import Agent


class ClaimsError(Exception):
    """The claims describe no agent. The message is a code and a sentence."""


@dataclass(frozen=True, kw_only=True)
class ClaimNames:
    """The claim of each of an :class:`Agent`'s attributes, or several, one of which is to be there.

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
        for field in fields(self):
            names = self._names(field.name)
            if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
                raise TypeError(f"{field.name} must be the name of a claim, or a tuple of several")
            if not names or not all(names):
                raise ValueError(f"{field.name} must name a claim")

    def read(self, claims: Mapping[str, Any]) -> Agent:
        """The agent that a verified token's claims describe. Raises :class:`ClaimsError` where they describe none."""
        found = {field.name: value for field in fields(self) if (value := self._get(field.name, claims)) is not None}
        if "id" not in found:
            raise ClaimsError("missing_claim: the token names no agent")
        return Agent(**found)

    def _get(self, attribute: str, claims: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any attribute
        said = [_READ[attribute](name, claims[name]) for name in self._names(attribute) if claims.get(name) is not None]
        if any(other != said[0] for other in said[1:]):
            raise ClaimsError(f"malformed_claims: the token says its {attribute} twice, and differently")
        return said[0] if said else None

    def _names(self, attribute: str) -> tuple[str, ...]:
        names = getattr(self, attribute)
        return (names,) if isinstance(names, str) else names


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ClaimsError(f'malformed_claims: "{name}" must be a string')
    return value


def _id(name: str, value: object) -> str:
    if not _text(name, value):
        raise ClaimsError(f'malformed_claims: "{name}" must not be empty')
    return str(value)


def _score(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 10:
        raise ClaimsError(f'malformed_claims: "{name}" must be a number from 0 to 10')
    return float(value)


def _strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ClaimsError(f'malformed_claims: "{name}" must be a list of strings')
    return list(value)


def _scopes(name: str, value: object) -> list[str]:
    return [scope for scope in value.split(" ") if scope] if isinstance(value, str) else _strings(name, value)


_READ: dict[str, Callable[[str, object], object]] = {
    "id": _id,
    "name": _text,
    "email": _text,
    "trust_score": _score,
    "roles": _strings,
    "scopes": _scopes,
}
