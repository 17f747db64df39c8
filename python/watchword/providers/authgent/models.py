"""The agent's identity and the claims of a verified token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.errors import InvalidTokenError, translate_errors
from watchword.providers.profiles.authgent import Identity, read_identity


@dataclass(frozen=True, repr=False)
class TokenClaims:
    """The claims of a token, unchanged (``raw``)."""

    raw: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: object = None) -> object:
        """Return a claim, or ``default`` if the token does not have it."""
        return self.raw.get(key, default)

    @property
    def sub(self) -> str | None:
        """The subject."""
        return self.raw.get("sub")

    @property
    def scope(self) -> str | None:
        """The scopes, separated by spaces; :attr:`AgentIdentity.scopes` lists them."""
        return self.raw.get("scope")

    @property
    def iss(self) -> str | None:
        """The issuer."""
        return self.raw.get("iss")

    @property
    def exp(self) -> int | None:
        """When the token expires, in Unix seconds."""
        return self.raw.get("exp")

    @property
    def iat(self) -> int | None:
        """When the token was issued, in Unix seconds."""
        return self.raw.get("iat")

    @property
    def jti(self) -> str | None:
        """The id of the token."""
        return self.raw.get("jti")

    @property
    def act(self) -> dict[str, Any] | None:
        """The actors (RFC 8693 section 4.1), which :attr:`AgentIdentity.delegation_chain` lists."""
        return self.raw.get("act")

    @property
    def cnf(self) -> dict[str, Any] | None:
        """The key that the token is bound to (RFC 7800)."""
        return self.raw.get("cnf")

    def __repr__(self) -> str:
        """Return the number of claims."""
        return f"TokenClaims({len(self.raw)} claims)"


@dataclass(frozen=True, repr=False)
class AgentIdentity:
    """The agent of a verified token."""

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
    #: The ``ath`` of proofs for the token (RFC 9449 section 4.2), if the token is bound to a key.
    token_hash: str | None = field(default=None, kw_only=True, compare=False)

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], *, token_hash: str | None = None) -> AgentIdentity:
        """Return the identity in the claims of a verified token, which are not verified again.

        Raises :class:`~watchword.providers.authgent.InvalidTokenError` if a claim has the wrong type, and
        :class:`~watchword.providers.authgent.DelegationError` if ``act`` is malformed.
        """
        with translate_errors():
            identity = read_identity(claims)
        return cls.of(identity, claims, token_hash)

    @classmethod
    def of(cls, identity: Identity, claims: Mapping[str, Any], token_hash: str | None) -> AgentIdentity:
        """Return what :meth:`from_claims` does, of claims that were parsed before."""
        return cls(
            subject=_text(claims, "sub") or "",
            scopes=identity.scopes,
            delegation_chain=DelegationChain.of(identity.chain, human_root=identity.has_human_root),
            claims=TokenClaims(dict(claims)),
            audience=_audience(claims.get("aud")),
            token_hash=token_hash,
            **identity.texts,
        )

    def __repr__(self) -> str:
        """Return the numbers of scopes, actors and claims, without names, which do not belong into logs."""
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
