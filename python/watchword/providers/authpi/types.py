"""The models of ``authpi_idp.types`` that verification uses.

They are immutable. Their ``repr`` contains no secret, and validation errors do not quote the input.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from watchword.errors import MalformedClaimsError
from watchword.providers.profiles.authpi import memberships


class ImmutableModel(BaseModel):
    """The base class of the models."""

    # Validation errors would quote the input, which may be a token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class TokenSet(ImmutableModel):
    """A token endpoint's response (RFC 6749 section 5.1), as it is stored in a session: ``model_dump()`` writes it.

    ``access_token`` and ``refresh_token`` are opaque; ``expires_at`` is when the access token expires, in Unix seconds;
    ``subject_hint`` is the subject of the tokens, if they were refreshed without an ID token; ``scope`` is separated by
    spaces.
    """

    access_token: str = Field(repr=False)
    token_type: str = "Bearer"  # noqa: S105 - a scheme, not a secret
    expires_at: int
    refresh_token: str | None = Field(default=None, repr=False)
    id_token: str | None = Field(default=None, repr=False)
    subject_hint: str | None = None
    scope: str | None = None


class Organization(ImmutableModel):
    """A membership in an organization: its id and title, the scopes, and since when, in Unix seconds."""

    id: str
    title: str | None = None
    scopes: list[str] = Field(default_factory=list)
    joined_at: int = 0


class UserInfo(ImmutableModel):
    """A userinfo endpoint's response (OpenID Connect Core 1.0 section 5.3); further claims are kept.

    ``organizations`` is parsed in both published forms, see :func:`organizations_of`. Nothing is signed: trust it only
    if it came over TLS, and if ``sub`` is that of the ID token.
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
    """The two parts of a scope."""

    resource: str
    action: str


def organizations_of(claim: object) -> list[Organization]:
    """Return the memberships in a claim ``organizations``: an array of objects with ``id``, or an object keyed by id.

    Members of another form are skipped, scopes that are not an array are ignored, and without the claim the list is
    empty. Raises ``ValueError`` if a membership has a scope, a title or a date of the wrong type.
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
