"""Token sets, and the agents that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from watchword import VerifiedToken
from watchword.providers.authpi.agent import AuthenticatedAgent, PrincipalType
from watchword.providers.authpi.errors import SubjectMismatchError, TokenParseError, translate_errors
from watchword.providers.authpi.types import TokenSet, organizations_of
from watchword.providers.profiles.authpi import check_access_token_hash

_T = TypeVar("_T")

Tokens = TokenSet | Mapping[str, Any]


def token_set(tokens: Tokens) -> TokenSet:
    """Return the token set, or one made of a mapping. Raises :class:`TokenParseError` if its members are invalid."""
    if isinstance(tokens, TokenSet):
        return tokens
    if not isinstance(tokens, Mapping):
        raise TypeError(f"tokens must be a mapping or a TokenSet, not {type(tokens).__name__}")
    try:
        return TokenSet.model_validate(dict(tokens))
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
    # Outside of the block: pydantic's exception has the tokens, and must not be the context.
    raise TokenParseError(f"these members of the token set are missing or have the wrong type: {fields}")


def id_token_of(tokens: TokenSet) -> str:
    """Return the ID token of a token set. Raises :class:`TokenParseError` if it has none."""
    if tokens.id_token is None:
        raise TokenParseError("the token set has no ID token, the only part of it that can be verified")
    return tokens.id_token


def agent_of(tokens: TokenSet, token: VerifiedToken, algorithm: object, expected_sub: str | None) -> AuthenticatedAgent:
    """Return the agent of a verified ID token. ``algorithm`` is the ``alg`` of the ID token as the issuer signed it.

    Raises :class:`TokenParseError` if ``at_hash`` does not match the access token or a membership is malformed,
    :class:`SubjectMismatchError` if the subject is not ``expected_sub``, or not the set's ``subject_hint``.
    """
    claims = token.claims
    with translate_errors():
        check_access_token_hash(token, algorithm, tokens.access_token)
    try:
        organizations = organizations_of(claims.get("organizations"))
    except ValueError as error:
        raise TokenParseError(str(error)) from None
    agent = AuthenticatedAgent(
        id=claims["sub"],
        type=PrincipalType.of(claims["sub"]),
        email=_of_type(str, claims.get("email")),
        email_verified=_of_type(bool, claims.get("email_verified")),
        org_id=_of_type(str, claims.get("org_id")),
        tokens=tokens,
        organizations=organizations,
    )
    # A set that was refreshed without an ID token has a hint at its subject. If a set has both, they must agree.
    return _checked_subject(_checked_subject(agent, tokens.subject_hint), expected_sub)


def agent_without_id_token(tokens: TokenSet, subject: str, expected_sub: str | None) -> AuthenticatedAgent:
    """Return the agent ``subject``. Raises :class:`SubjectMismatchError` if it is not ``expected_sub``."""
    agent = AuthenticatedAgent(id=subject, type=PrincipalType.of(subject), tokens=tokens)
    return _checked_subject(agent, expected_sub)


def _checked_subject(agent: AuthenticatedAgent, expected: str | None) -> AuthenticatedAgent:
    if expected is not None and agent.id != expected:
        raise SubjectMismatchError(expected, agent.id)
    return agent


def _of_type(kind: type[_T], value: object) -> _T | None:
    """Return the value of a claim if it has the right type, else ``None``: it is for display only."""
    return value if isinstance(value, kind) else None
