"""What an application gets of a verified token: the agent's identity, and the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.errors import InvalidTokenError, translate_errors
from watchword.providers.profiles.authgent import Identity, read_identity


@dataclass(frozen=True, repr=False)
class TokenClaims:
    """The claims of a token, as they stand in it (``raw``)."""

    raw: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: object = None) -> object:
        """A claim, or ``default`` where the token has none of that name."""
        return self.raw.get(key, default)

    @property
    def sub(self) -> str | None:
        """Whom the token is about."""
        return self.raw.get("sub")

    @property
    def scope(self) -> str | None:
        """The scopes, with spaces between them; :attr:`AgentIdentity.scopes` lists them."""
        return self.raw.get("scope")

    @property
    def iss(self) -> str | None:
        """Who issued the token."""
        return self.raw.get("iss")

    @property
    def exp(self) -> int | None:
        """When it ends, in Unix seconds."""
        return self.raw.get("exp")

    @property
    def iat(self) -> int | None:
        """When it was issued, in Unix seconds."""
        return self.raw.get("iat")

    @property
    def jti(self) -> str | None:
        """Its id."""
        return self.raw.get("jti")

    @property
    def act(self) -> dict[str, Any] | None:
        """Who acts (RFC 8693 section 4.1); :attr:`AgentIdentity.delegation_chain` has read it."""
        return self.raw.get("act")

    @property
    def cnf(self) -> dict[str, Any] | None:
        """The key that the token is bound to (RFC 7800)."""
        return self.raw.get("cnf")

    def __repr__(self) -> str:
        """How many there are."""
        return f"TokenClaims({len(self.raw)} claims)"


@dataclass(frozen=True, repr=False)
class AgentIdentity:
    """An agent, as a verified token names it."""

    subject: str
    scopes: list[str]
    delegation_chain: DelegationChain
    claims: TokenClaims
    client_id: str | None = None
    audience: str | list[str] | None = None
    agent_type: str | None = None
    agent_model: str | None = None
    agent_version: str | None = None
    agent_provider: str | None = None
    agent_instance_id: str | None = None
    #: Of a bound token: what a proof for it must have as ``ath`` (RFC 9449 section 4.2).
    token_hash: str | None = field(default=None, kw_only=True, compare=False)

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], *, token_hash: str | None = None) -> AgentIdentity:
        """The identity in the claims of a verified token, which are believed.

        Raises :class:`~watchword.providers.authgent.InvalidTokenError` if a claim has the wrong type, and
        :class:`~watchword.providers.authgent.DelegationError` if ``act`` is malformed.
        """
        with translate_errors():
            identity = read_identity(claims)
        return cls.of(identity, claims, token_hash)

    @classmethod
    def of(cls, identity: Identity, claims: Mapping[str, Any], token_hash: str | None) -> AgentIdentity:
        return cls(
            subject=_text(claims, "sub") or "",
            scopes=identity.scopes,
            delegation_chain=DelegationChain.of(identity.chain),
            claims=TokenClaims(dict(claims)),
            audience=_audience(claims.get("aud")),
            token_hash=token_hash,
            **identity.texts,
        )

    def __repr__(self) -> str:
        """How much there is of everything; names are not for logs."""
        return f"AgentIdentity({len(self.scopes)} scopes, {self.delegation_chain!r}, {self.claims!r})"


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None or isinstance(value, str):
        return value
    raise InvalidTokenError(f"the claim {name!r} must be a string")


def _audience(claim: object) -> str | list[str] | None:
    if claim is None or isinstance(claim, str):
        return claim
    if isinstance(claim, (list, tuple)) and all(isinstance(one, str) for one in claim):
        return list(claim)
    raise InvalidTokenError("the claim 'aud' must be a string or an array of strings")


__all__ = ["AgentIdentity", "DelegationChain", "TokenClaims"]
