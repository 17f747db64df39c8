"""The models of ``authpi_idp.types`` that have to do with verification.

They are immutable. What is secret in them is not part of their ``repr``, and what did not fit them is not quoted by
the errors that say so.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from watchword.errors import MalformedClaimsError
from watchword.providers.profiles.authpi import memberships


class ImmutableModel(BaseModel):
    """What all of them are made of."""

    # A validation error quotes the input unless told otherwise, and the input may be a token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class TokenSet(ImmutableModel):
    """What a token endpoint answered (RFC 6749 section 5.1), as it is kept in a session: ``model_dump()`` writes it.

    ``access_token`` and ``refresh_token`` are opaque; ``expires_at`` is when the access token expires, in Unix seconds;
    ``subject_hint`` is whom the tokens belong to, where a renewal came without an ID token; ``scope`` has spaces
    between its scopes.
    """

    access_token: str = Field(repr=False)
    token_type: str = "Bearer"  # noqa: S105 - a scheme, not a secret
    expires_at: int
    refresh_token: str | None = Field(default=None, repr=False)
    id_token: str | None = Field(default=None, repr=False)
    subject_hint: str | None = None
    scope: str | None = None


class Organization(ImmutableModel):
    """A membership: whose, as what, with which scopes, and since when in Unix seconds."""

    id: str
    title: str | None = None
    scopes: list[str] = Field(default_factory=list)
    joined_at: int = 0


class UserInfo(ImmutableModel):
    """What the userinfo endpoint answered (OpenID Connect Core 1.0 section 5.3); claims of other names are kept.

    ``organizations`` is read in both published shapes, see :func:`organizations_of`. Nothing here is signed: the
    answer is worth as much as the connection that it came over, and only where ``sub`` is that of the ID token.
    """

    model_config = ConfigDict(extra="allow")

    sub: str
    email: str | None = None
    email_verified: bool | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    picture: str | None = None
    locale: str | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    org_id: str | None = None
    organizations: list[Organization] | None = None
    created_at: int | None = None
    updated_at: int | None = None

    @field_validator("organizations", mode="before")
    @classmethod
    def _read_organizations(cls, claim: object) -> object:
        return None if claim is None else organizations_of(claim)


class ParsedScope(ImmutableModel):
    """A scope in its two parts."""

    resource: str
    action: str


def organizations_of(claim: object) -> list[Organization]:
    """The memberships in a claim ``organizations``: an array of objects with ``id``, or an object whose names are ids.

    A member of another form is left out, and so are scopes that are no array; no claim at all is no membership.
    Raises ``ValueError`` if a membership has a scope, a title or a date of the wrong type.
    """
    if isinstance(claim, (list, tuple)):
        claim = [_members(one) for one in claim]
    elif isinstance(claim, dict):
        claim = {name: _members(one) for name, one in claim.items()}
    try:
        return [Organization(**one) for one in memberships(claim)]
    except MalformedClaimsError as error:
        raise ValueError(error.detail) from None


def _members(one: object) -> object:
    return one.model_dump() if isinstance(one, Organization) else one


__all__ = ["Organization", "ParsedScope", "TokenSet", "UserInfo", "organizations_of"]
