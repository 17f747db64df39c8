"""authgent's tokens: one server signs access tokens and four other kinds with one key, most of them under one type."""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile

ACCESS_TOKEN = "access_token"  # noqa: S105 - a kind, not a secret
TRANSACTION_TOKEN = "transaction_token"  # noqa: S105 - a kind, not a secret
DELEGATION_RECEIPT = "delegation_receipt"
CHAINING_GRANT = "chaining_grant"

#: How the server's token ids begin.
_TOKEN_ID = "tok_"  # noqa: S105 - the beginning of an id, not a secret


def recognise(header: Members, claims: Members) -> Kind | None:
    """Which of the server's tokens this looks like, if any."""
    if header.get("alg") != "ES256":
        return None
    if header.get("typ") == "txntoken+jwt":
        if "txn" in claims and "req_wl" in claims:
            return Kind(TRANSACTION_TOKEN, ('its type is "txntoken+jwt"', 'there are "txn" and "req_wl"'))
        return None
    if header.get("typ") != "JWT":
        return None
    if claims.get("type") == "delegation_receipt":
        return Kind(DELEGATION_RECEIPT, ('the claim "type" says so',))
    return _grant_or_access_token(claims)


def _grant_or_access_token(claims: Members) -> Kind | None:
    identified = _begins(claims.get("jti"), _TOKEN_ID) and isinstance(claims.get("client_id"), str)
    if not identified or not isinstance(claims.get("scope"), str):
        return None
    reasons = (f'"jti" begins with "{_TOKEN_ID}"', '"client_id" and "scope" are strings')
    if "nbf" in claims:
        return Kind(CHAINING_GRANT, (*reasons, 'there is an "nbf", which no access token of the server has'))
    return Kind(ACCESS_TOKEN, reasons)


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an access token."""
    del audience, keys
    kind = recognise(token.header, token.claims)
    if kind is None or kind.name != ACCESS_TOKEN:
        raise WrongTypeError("the token is no access token of an authgent server")


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


PROFILE = Profile(
    algorithms=("ES256",),
    types=("JWT",),
    required=("exp", "iss", "sub", "iat", "jti"),
    publishes_keys=True,
    check=check,
    recognise=recognise,
)
