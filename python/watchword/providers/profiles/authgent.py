"""authgent's tokens: one server signs access tokens and four other kinds with one key, most of them under one type."""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import UnknownKeyError, WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile, check_not_anothers

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


def check_access_token(token: VerifiedToken) -> None:
    """Raises :class:`~watchword.WrongTypeError` for a verified token that is another thing by its claims, or another
    provider's.

    Everything but a transaction token has ``typ`` ``JWT``, so the claims have to tell. Raises
    :class:`~watchword.UnknownKeyError` for a token that names no key, which the server never issues.
    """
    claims = token.claims
    if claims.get("type") == "delegation_receipt" or {"token_jti", "parent_jti"} <= claims.keys():
        raise WrongTypeError("a delegation receipt is not an access token")
    if "req_wl" in claims or "rctx" in claims or "tctx" in claims:
        raise WrongTypeError("a transaction token is not an access token")
    # Of what has an id of the server's, only a grant for another authorization server has "nbf" too.
    if token.not_before is not None and (token.token_id or "").startswith(_TOKEN_ID):
        raise WrongTypeError("a grant for another authorization server is not an access token")
    if "htm" in claims or "htu" in claims:
        raise WrongTypeError("a DPoP proof is not an access token")
    if not token.header.get("kid"):
        raise UnknownKeyError("the token names no key")
    check_not_anothers(token, "authgent")


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an access token."""
    del audience, keys
    check_access_token(token)


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


PROFILE = Profile(
    algorithms=("ES256",),
    # "txntoken+jwt" (a transaction token) and "dpop+jwt" (a proof) fail at it.
    types=("JWT", "at+jwt", None),
    # What no access token does without. A delegation receipt has neither.
    required=("exp", "sub"),
    publishes_keys=True,
    check=check,
    recognise=recognise,
)
