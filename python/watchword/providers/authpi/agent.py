"""``AuthenticatedAgent`` of ``authpi_idp.agent``: an authenticated principal, and its permissions."""

from __future__ import annotations

import time
from enum import Enum

from pydantic import Field

from watchword.providers.authpi.scopes import compiled
from watchword.providers.authpi.types import ImmutableModel, Organization, TokenSet


class PrincipalType(str, Enum):  # noqa: UP042 - as the original: str() of a member is its name
    """The kind of a principal, which the prefix of its id determines."""

    USER = "user"
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a kind, not a secret
    API_KEY = "api_key"
    AGENT = "agent"

    @classmethod
    def of(cls, subject: str) -> PrincipalType:
        """Return the kind for the prefix of a subject: ``agt_``, ``key_`` or ``tok_``; all others are users."""
        return _PREFIXES.get(subject[:4], cls.USER)


#: The package's former name for it.
AgentType = PrincipalType

_PREFIXES = {"agt_": PrincipalType.AGENT, "key_": PrincipalType.API_KEY, "tok_": PrincipalType.PERSONAL_TOKEN}


class AuthenticatedAgent(ImmutableModel):
    """An authenticated principal: plain data, not verified by itself.

    :class:`watchword.providers.authpi.IdTokenVerifier` makes one of a verified token. No method sends a request.
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
        """The seconds until the access token expires; negative if it has expired."""
        return self.tokens.expires_at - int(time.time())

    def is_expired(self, buffer_seconds: int | None = None, *, buffer: int | None = None) -> bool:
        """Return whether the access token expires within ``buffer_seconds`` seconds, by default 30.

        ``buffer`` is another name of ``buffer_seconds``. Raises ``TypeError`` if both are given.
        """
        if buffer is not None and buffer_seconds is not None:
            raise TypeError("buffer and buffer_seconds are two names of one argument: give one of them")
        seconds = buffer if buffer is not None else buffer_seconds
        return self.expires_in <= (30 if seconds is None else seconds)

    def has_access(self, action: str, resource: str) -> bool:
        """Return whether ``action`` on ``resource`` is allowed in any of the organizations.

        A client that authenticated for itself has no organizations: the scope of its access token is checked.
        Whoever logged in without an organization has no access, whatever scope the login requested.
        """
        if not self.organizations and self._is_client:
            held = [scope for scope in (self.tokens.scope or "").split(" ") if scope]
            return compiled(held).allows(action=action, resource=resource)
        return any(compiled(org.scopes).allows(action=action, resource=resource) for org in self.organizations)

    def has_access_in(self, org_id: str, action: str, resource: str) -> bool:
        """Return whether ``action`` on ``resource`` is allowed in this organization."""
        return compiled(self.get_scopes_for(org_id)).allows(action=action, resource=resource)

    def get_scopes_for(self, org_id: str) -> list[str]:
        """Return the scopes in this organization; an empty list without a membership."""
        organization = self._membership(org_id)
        return [] if organization is None else list(organization.scopes)

    def is_owner_of(self, org_id: str) -> bool:
        """Return whether ``owner`` is one of the scopes in this organization. Wildcards do not match it."""
        return "owner" in self.get_scopes_for(org_id)

    def is_admin_of(self, org_id: str) -> bool:
        """Return whether ``admin`` is one of the scopes in this organization. Wildcards do not match it."""
        return "admin" in self.get_scopes_for(org_id)

    def is_member_of(self, org_id: str) -> bool:
        """Return whether there is a membership in this organization, with or without scopes."""
        return self._membership(org_id) is not None

    def _membership(self, org_id: str) -> Organization | None:
        return next((organization for organization in self.organizations if organization.id == org_id), None)

    @property
    def _is_client(self) -> bool:
        """Whether nobody logged in: the client credentials grant returns no ID token (RFC 6749 section 4.4).

        The prefix of the id does not say so. The scope of a token set with an ID token is not verified: whoever can
        write a session could have any.
        """
        return self.tokens.id_token is None and self.tokens.subject_hint is None


__all__ = ["AgentType", "AuthenticatedAgent", "PrincipalType"]
