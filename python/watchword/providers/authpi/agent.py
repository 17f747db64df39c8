"""``AuthenticatedAgent`` of ``authpi_idp.agent``: who is logged in, and what they may do where."""

from __future__ import annotations

import time
from enum import Enum

from pydantic import Field

from watchword.providers.authpi.scopes import compiled
from watchword.providers.authpi.types import ImmutableModel, Organization, TokenSet


class PrincipalType(str, Enum):  # noqa: UP042 - as authpi's own: str() of a member has its name
    """What kind of principal a subject is, as the prefix of its id tells."""

    USER = "user"
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a kind, not a secret
    API_KEY = "api_key"
    AGENT = "agent"

    @classmethod
    def of(cls, subject: str) -> PrincipalType:
        """The kind that the prefix says: ``agt_``, ``key_``, ``tok_``; everything else is a user."""
        return _PREFIXES.get(subject[:4], cls.USER)


#: The name that the package had for it before.
AgentType = PrincipalType

_PREFIXES = {"agt_": PrincipalType.AGENT, "key_": PrincipalType.API_KEY, "tok_": PrincipalType.PERSONAL_TOKEN}


class AuthenticatedAgent(ImmutableModel):
    """Somebody who authenticated: plain data, which anybody can make.

    What makes one of a token that was verified is :class:`watchword.providers.authpi.IdTokenVerifier`. All questions
    are answered from these data, without a request.
    """

    id: str
    type: PrincipalType
    email: str | None = None
    email_verified: bool | None = None
    org_id: str | None = None
    tokens: TokenSet
    organizations: list[Organization] = Field(default_factory=list)

    @property
    def expires_at(self) -> int:
        """When the access token expires, in Unix seconds."""
        return self.tokens.expires_at

    @property
    def expires_in(self) -> int:
        """How many seconds the access token has left; negative where it has expired."""
        return self.tokens.expires_at - int(time.time())

    def is_expired(self, buffer_seconds: int | None = None, *, buffer: int | None = None) -> bool:
        """Whether the access token expires within so many seconds, 30 where nothing is said.

        ``buffer`` and ``buffer_seconds`` are two names of the same. Raises ``TypeError`` where both are given.
        """
        if buffer is not None and buffer_seconds is not None:
            raise TypeError("buffer and buffer_seconds are the same: give one of them")
        seconds = buffer if buffer is not None else buffer_seconds
        return self.expires_in <= (30 if seconds is None else seconds)

    def has_access(self, action: str, resource: str) -> bool:
        """Whether ``action`` on ``resource`` is allowed in any of the organizations.

        A client that authenticated for itself has no organizations: what it may do is the scope of its access token.
        A user without an organization may do nothing, whatever scope the login asked for.
        """
        if not self.organizations and self._is_client:
            held = [scope for scope in (self.tokens.scope or "").split(" ") if scope]
            return compiled(held).allows(action=action, resource=resource)
        return any(compiled(org.scopes).allows(action=action, resource=resource) for org in self.organizations)

    def has_access_in(self, org_id: str, action: str, resource: str) -> bool:
        """Whether ``action`` on ``resource`` is allowed in this organization."""
        return compiled(self.get_scopes_for(org_id)).allows(action=action, resource=resource)

    def get_scopes_for(self, org_id: str) -> list[str]:
        """The scopes in this organization; none where there is no membership."""
        organization = self._membership(org_id)
        return [] if organization is None else list(organization.scopes)

    def is_owner_of(self, org_id: str) -> bool:
        """Whether ``owner`` is among the scopes in this organization. No wildcard stands for it."""
        return "owner" in self.get_scopes_for(org_id)

    def is_admin_of(self, org_id: str) -> bool:
        """Whether ``admin`` is among the scopes in this organization. No wildcard stands for it."""
        return "admin" in self.get_scopes_for(org_id)

    def is_member_of(self, org_id: str) -> bool:
        """Whether there is a membership in this organization, with scopes or without."""
        return self._membership(org_id) is not None

    def _membership(self, org_id: str) -> Organization | None:
        return next((organization for organization in self.organizations if organization.id == org_id), None)

    @property
    def _is_client(self) -> bool:
        """Nobody logged in: the client credentials grant gives no ID token (RFC 6749 section 4.4)."""
        return self.type is PrincipalType.AGENT or (self.tokens.id_token is None and self.tokens.subject_hint is None)


__all__ = ["AgentType", "AuthenticatedAgent", "PrincipalType"]
