"""Token sets, and whose they are once their ID token is verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from watchword._kernel import VerifiedToken
from watchword.providers.authpi.agent import AuthenticatedAgent, PrincipalType
from watchword.providers.authpi.errors import SubjectMismatchError, TokenParseError, translate_errors
from watchword.providers.authpi.types import TokenSet, organizations_of
from watchword.providers.profiles.authpi import check_access_token_hash

_T = TypeVar("_T")

Tokens = TokenSet | Mapping[str, Any]


def token_set(tokens: Tokens) -> TokenSet:
    """The token set itself, or the one in a mapping. Raises :class:`TokenParseError` where it is none."""
    if isinstance(tokens, TokenSet):
        return tokens
    if not isinstance(tokens, Mapping):
        raise TypeError(f"tokens is a mapping or a TokenSet, not {type(tokens).__name__}")
    try:
        return TokenSet.model_validate(dict(tokens))
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
        raise TokenParseError(f"the token set lacks members, or has some of the wrong type: {fields}") from None


def id_token_of(tokens: TokenSet) -> str:
    """The ID token in it. Raises :class:`TokenParseError` where there is none."""
    if tokens.id_token is None:
        raise TokenParseError("the token set has no ID token, and nothing else in it can be verified")
    return tokens.id_token


def agent_of(tokens: TokenSet, token: VerifiedToken, algorithm: object, expected_sub: str | None) -> AuthenticatedAgent:
    """The agent that a verified ID token names. ``algorithm`` is the one that its issuer wrote into the header.

    Raises :class:`TokenParseError` where the access token or a membership does not fit, :class:`SubjectMismatchError`
    where it is another subject than ``expected_sub``, or than the set hints at.
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
    # A set that was renewed without an ID token hints at its subject; one with both must not contradict itself.
    return _checked_subject(_checked_subject(agent, tokens.subject_hint), expected_sub)


def agent_without_id_token(tokens: TokenSet, subject: str, expected_sub: str | None) -> AuthenticatedAgent:
    """The agent of a token set that names nobody. Raises :class:`SubjectMismatchError`."""
    agent = AuthenticatedAgent(id=subject, type=PrincipalType.of(subject), tokens=tokens)
    return _checked_subject(agent, expected_sub)


def _checked_subject(agent: AuthenticatedAgent, expected: str | None) -> AuthenticatedAgent:
    if expected is not None and agent.id != expected:
        raise SubjectMismatchError(expected, agent.id)
    return agent


def _of_type(kind: type[_T], value: object) -> _T | None:
    """The value of a claim where it has the right type, else none: nothing is decided by these."""
    return value if isinstance(value, kind) else None
