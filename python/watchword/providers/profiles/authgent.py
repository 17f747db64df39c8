"""authgent's tokens: one server signs access tokens and four other kinds with one key, most of them under one type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from watchword._kernel import ANY_AUDIENCE, DelegationChain, KeySet, VerifiedToken
from watchword.errors import (
    DelegationMalformedError,
    MalformedClaimsError,
    UnknownKeyError,
    WrongAudienceError,
    WrongTypeError,
)
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, check_not_anothers, media_type

ACCESS_TOKEN = "access_token"  # noqa: S105 - a kind, not a secret
TRANSACTION_TOKEN = "transaction_token"  # noqa: S105 - a kind, not a secret
DELEGATION_RECEIPT = "delegation_receipt"
CHAINING_GRANT = "chaining_grant"

#: Where the server's keys are, below its URL.
JWKS_PATH = "/.well-known/jwks.json"

#: How the server's token ids begin.
_TOKEN_ID = "tok_"  # noqa: S105 - the beginning of an id, not a secret


def recognise(header: Members, claims: Members) -> Kind | None:
    """Which of the server's tokens this looks like, if any."""
    if header.get("alg") != "ES256":
        return None
    typ = media_type(header)
    if typ == "txntoken+jwt":
        if "txn" in claims and "req_wl" in claims:
            return Kind(TRANSACTION_TOKEN, ('its type is "txntoken+jwt"', 'there are "txn" and "req_wl"'))
        return None
    if typ != "jwt":
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


class Identity(NamedTuple):
    """Who the claims of an access token say the agent is: claims that are strings or absent, the scopes, the actors."""

    texts: dict[str, str | None]
    scopes: list[str]
    chain: DelegationChain


#: Claims that describe the agent: strings, if they are present.
TEXTS = ("client_id", "agent_type", "agent_model", "agent_version", "agent_provider", "agent_instance_id")


def read_identity(claims: Members) -> Identity:
    """The identity in an access token's claims.

    Raises ``MalformedClaimsError`` if one of them has the wrong type, :class:`~watchword.DelegationError` if ``act`` is
    malformed, or does not name an actor by ``sub``, as all of authgent's do.
    """
    texts = {name: claims.get(name) for name in TEXTS}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise MalformedClaimsError(f'"{name}" must be a string')
    scopes = _scopes(claims.get("scope"))
    chain = DelegationChain.from_act(claims)
    if any(actor.subject is None for actor in chain.actors):
        raise DelegationMalformedError('an actor in "act" has no "sub"')
    return Identity(texts, scopes, chain)


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of access tokens.

    Without an ``audience``, a token that is for somebody must be for its own issuer, as the server's tokens are if no
    resource was asked for. There is no leeway unless it is set: authgent's own verifier has none.
    """

    algorithms: tuple[str, ...] | None = ("ES256",)
    # "txntoken+jwt" (a transaction token) and "dpop+jwt" (a proof) fail at it.
    types: tuple[str | None, ...] = ("JWT", "at+jwt", None)
    leeway: float = 0

    # No access token lacks them. A delegation receipt has neither.
    always_required: ClassVar[tuple[str, ...]] = ("exp", "sub")

    def requirements(self) -> dict[str, Any]:
        """As everybody's; without an audience, :meth:`check` decides."""
        return {**super().requirements(), "audience": ANY_AUDIENCE if self.audience is None else self.audience}

    def form(self, header: Members, claims: Members) -> Identity:
        """Returns the identity in an access token, which is told from the other kinds by its claims: everything but a
        transaction token has ``typ`` ``JWT``. Raises :class:`~watchword.UnknownKeyError` for a token that names no key,
        which the server never issues.
        """
        if claims.get("type") == "delegation_receipt" or {"token_jti", "parent_jti"} <= claims.keys():
            raise WrongTypeError("a delegation receipt is not an access token")
        if "req_wl" in claims or "rctx" in claims or "tctx" in claims:
            raise WrongTypeError("a transaction token is not an access token")
        # Of what has an id of the server's, only a grant for another authorization server has "nbf" too.
        if claims.get("nbf") is not None and _begins(claims.get("jti"), _TOKEN_ID):
            raise WrongTypeError("a grant for another authorization server is not an access token")
        if "htm" in claims or "htu" in claims:
            raise WrongTypeError("a DPoP proof is not an access token")
        if not header.get("kid"):
            raise UnknownKeyError("the token names no key")
        check_not_anothers(header, claims, "authgent")
        return read_identity(claims)

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> Identity:
        """The token is an access token, and for nobody else. Returns the identity in it."""
        del now, keys  # the token's own dates and signature are all there are
        if self.audience is None and token.audience and not self._is_for_its_issuer(token):
            raise WrongAudienceError("the token is for an audience: say which one is yours (audience=)")
        return self.form(token.header, token.claims)

    def _is_for_its_issuer(self, token: VerifiedToken) -> bool:
        return token.issuer in self.issuers and token.issuer in token.audience


def _scopes(claim: object) -> list[str]:
    """RFC 6749 section 3.3: scopes have spaces between them, and nothing else separates them."""
    if claim is None:
        return []
    if isinstance(claim, str):
        return [scope for scope in claim.split(" ") if scope]
    if isinstance(claim, (list, tuple)) and all(isinstance(scope, str) for scope in claim):
        return list(claim)
    raise MalformedClaimsError('"scope" must be a string or an array of strings')


def _begins(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


PROFILE = Profile(
    rules=Rules,
    recognise=recognise,
    accepted=(ACCESS_TOKEN,),
    publishes_keys=True,
    jwks_path=JWKS_PATH,
    bound_tokens=None,
)
