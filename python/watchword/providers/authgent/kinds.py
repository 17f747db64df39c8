"""The kinds of JWT that one authgent-server signs with one key, told apart (RFC 8725 sections 3.11 and 3.12)."""

from __future__ import annotations

from watchword._kernel import VerifiedToken
from watchword.errors import UnknownKeyError, WrongTypeError

#: What ``typ`` says of an access token. ``txntoken+jwt`` (a transaction token) and ``dpop+jwt`` (a proof) fail at it.
ACCESS_TOKEN_TYPES = ("JWT", "at+jwt", None)

#: What no access token does without. A delegation receipt has neither.
REQUIRED_CLAIMS = ("exp", "sub")

#: How the server's own token ids begin.
_TOKEN_ID = "tok_"  # noqa: S105  # the beginning of an id, and no secret


def check_access_token(token: VerifiedToken) -> None:
    """Raises :class:`~watchword.WrongTypeError` for a verified token that is another thing by its claims.

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


__all__ = ["ACCESS_TOKEN_TYPES", "REQUIRED_CLAIMS", "check_access_token"]
