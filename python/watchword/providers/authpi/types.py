"""The models of ``authpi_idp.types``.

They are immutable. Their ``repr`` contains no secret, and validation errors do not quote the input.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from watchword.errors import MalformedClaimsError
from watchword.providers.profiles.authpi import memberships


class ImmutableModel(BaseModel):
    """The base class of the models."""

    # Validation errors would quote the input, which may be a token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class AuthorizationUrl(ImmutableModel):
    """A login that begins: redirect the browser to ``url``, and keep the rest in its session until the callback.

    ``code_verifier`` is the secret of RFC 7636, ``state`` returns in the callback (RFC 6749 section 10.12), ``nonce``
    in the ID token; ``resources`` are the resource indicators (RFC 8707) of the request.
    """

    url: str = Field(repr=False)
    code_verifier: str = Field(repr=False)
    state: str = Field(repr=False)
    nonce: str = Field(repr=False)
    resources: tuple[str, ...] | None = None

    @field_serializer("resources")
    def _list_resources(self, resources: tuple[str, ...] | None) -> list[str] | None:
        # As the package writes it into sessions.
        return None if resources is None else list(resources)


class LogoutOptions(ImmutableModel):
    """What a logout URL says (OpenID Connect RP-Initiated Logout 1.0 section 2).

    ``id_token_hint`` is the user's ID token, ``post_logout_redirect_uri`` where the browser is sent afterwards, with
    ``state``.
    """

    id_token_hint: str | None = Field(default=None, repr=False)
    post_logout_redirect_uri: str | None = None
    state: str | None = Field(default=None, repr=False)


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


#: A callback: its URL, its query, or its parameters.
OAuthCallbackInput = str | Mapping[str, str | Sequence[str] | None]

#: What a client calls with renewed tokens (:meth:`TokenSet.model_dump`), and with the error of a failed renewal.
OnRefreshSync = Callable[[dict[str, Any]], None]
OnRefreshErrorSync = Callable[[Exception], None]
OnRefreshAsync = Callable[[dict[str, Any]], Awaitable[None] | None]
OnRefreshErrorAsync = Callable[[Exception], Awaitable[None] | None]


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


__all__ = [
    "AuthorizationUrl",
    "LogoutOptions",
    "OAuthCallbackInput",
    "OnRefreshAsync",
    "OnRefreshErrorAsync",
    "OnRefreshErrorSync",
    "OnRefreshSync",
    "Organization",
    "ParsedScope",
    "TokenSet",
    "UserInfo",
    "organizations_of",
]
