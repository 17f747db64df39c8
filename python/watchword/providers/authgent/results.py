"""What the client of authgent-server returns. No ``repr`` shows a token or a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from watchword.client import Members


@dataclass(frozen=True, repr=False)
class TokenResult:
    """The answer of the token endpoint (RFC 6749 section 5.1, RFC 8693 section 2.2.1).

    ``token_type`` is ``Bearer``, ``DPoP`` for a token that is bound to a key, or ``N_A`` for a token that is no access
    token. ``expires_in`` is the lifetime in seconds. ``raw`` is the whole JSON object.
    """

    access_token: str
    token_type: str
    expires_in: int
    scope: str | None = None
    refresh_token: str | None = None
    issued_token_type: str | None = field(default=None, kw_only=True)
    raw: dict[str, Any] = field(default_factory=dict, kw_only=True, compare=False)

    @classmethod
    def of(cls, members: Members) -> TokenResult:
        """Return the result in an answer. Raises :class:`watchword.client.InvalidAnswerError`."""
        return cls(
            access_token=members.text("access_token"),
            token_type=members.text("token_type"),
            expires_in=members.integer("expires_in"),
            scope=members.optional_text("scope"),
            refresh_token=members.optional_text("refresh_token"),
            issued_token_type=members.optional_text("issued_token_type"),
            raw=members.raw,
        )

    def __repr__(self) -> str:
        """Return the lifetime, without the tokens."""
        return f"TokenResult(expires_in={self.expires_in})"


@dataclass(frozen=True, repr=False)
class AgentResult:
    """A registered agent and its credentials. ``raw`` is the whole JSON object."""

    id: str
    client_id: str
    client_secret: str
    name: str
    raw: dict[str, Any] = field(default_factory=dict, kw_only=True, compare=False)

    @classmethod
    def of(cls, members: Members) -> AgentResult:
        """Return the result in an answer. Raises :class:`watchword.client.InvalidAnswerError`."""
        names = ("id", "client_id", "client_secret", "name")
        return cls(*(members.text(name) for name in names), raw=members.raw)

    def __repr__(self) -> str:
        """Return the agent's id, without the secret."""
        return f"AgentResult(id={self.id!r})"


@dataclass(frozen=True, repr=False)
class ClientResult:
    """A registered OAuth client and its credentials (RFC 7591 section 3.2.1). ``raw`` is the whole JSON object."""

    client_id: str
    client_secret: str
    grant_types: list[str]
    raw: dict[str, Any] = field(default_factory=dict, kw_only=True, compare=False)

    @classmethod
    def of(cls, members: Members) -> ClientResult:
        """Return the result in an answer. Raises :class:`watchword.client.InvalidAnswerError`."""
        return cls(
            client_id=members.text("client_id"),
            client_secret=members.text("client_secret"),
            grant_types=members.texts("grant_types"),
            raw=members.raw,
        )

    def __repr__(self) -> str:
        """Return the client's id, without the secret."""
        return f"ClientResult(client_id={self.client_id!r})"


__all__ = ["AgentResult", "ClientResult", "TokenResult"]
