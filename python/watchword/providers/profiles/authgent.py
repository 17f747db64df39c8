"""authgent's tokens: one server signs access tokens and four other kinds with one key, most with one ``typ``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from watchword import ANY_AUDIENCE, DelegationChain, KeySet, VerifiedToken
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

#: The path of the server's keys, below its URL.
JWKS_PATH = "/.well-known/jwks.json"

#: The prefix of the names of human beings.
_HUMAN = "user:"

#: The prefix of the server's token ids.
_TOKEN_ID = "tok_"  # noqa: S105 - a prefix, not a secret


def recognise(header: Members, claims: Members) -> Kind | None:
    """Return the kind of the server's tokens that this looks like, if any."""
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
        reasons = ['the claim "type" is "delegation_receipt"']
        if {"token_jti", "parent_jti"} <= claims.keys():
            reasons.append('there are "token_jti" and "parent_jti"')
        return Kind(DELEGATION_RECEIPT, tuple(reasons))
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
    """The agent of an access token: claims that are strings or absent, scopes, the delegation chain and its root."""

    texts: dict[str, str | None]
    scopes: list[str]
    chain: DelegationChain
    has_human_root: bool


#: Claims that describe the agent: strings, if they are present.
TEXTS = ("client_id", "agent_type", "agent_model", "agent_version", "agent_provider", "agent_instance_id")


def read_identity(claims: Members) -> Identity:
    """Return the identity in an access token's claims.

    Raises ``MalformedClaimsError`` if one of them has the wrong type, :class:`~watchword.DelegationError` if ``act`` is
    malformed, or has an actor without ``sub``: authgent's actors always have one.
    """
    texts = {name: claims.get(name) for name in TEXTS}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise MalformedClaimsError(f'"{name}" must be a string')
    scopes = _scopes(claims.get("scope"))
    chain = DelegationChain.from_act(claims)
    if any(actor.subject is None for actor in chain.actors):
        raise DelegationMalformedError('an actor in "act" has no "sub"')
    return Identity(texts, scopes, chain, has_human_root(chain, claims))


def has_human_root(chain: DelegationChain, claims: Members) -> bool:
    """Return whether a chain originates from a human being, according to the claims that it was read from.

    Two forms count, and no others:

    - as authgent-server writes it: the *subject* is ``user:`` and a name, or the claim ``human_root`` is ``true``;
    - as authgent documents it: ``act`` has at least two levels, all of the token's own issuer, and the innermost
      *alone* is ``user:`` and a name. A claim ``human_root``, whatever its value, then decides by itself.
    """
    if chain.human_root or "human_root" in claims or chain.depth < 2:
        # One level is a human who acts for the subject: the presenter, and not the root (RFC 8693 section 4.1).
        return chain.human_root
    *agents, root = chain.actors
    # Below an actor of another issuer, whose name an actor without "iss" has is not certain.
    if any(actor.issuer != chain.issuer for actor in chain.actors):
        return False
    if any(_begins(agent.subject, _HUMAN) for agent in agents):
        return False
    return _begins(root.subject, _HUMAN) and root.subject != _HUMAN


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of access tokens.

    Without an ``audience``, a token that has ``aud`` must name its own issuer, as the server's tokens do if no resource
    was requested. The leeway is 0 by default, as in authgent's own verifier.
    """

    algorithms: tuple[str, ...] | None = ("ES256",)
    # Not "txntoken+jwt" (a transaction token), not "dpop+jwt" (a proof).
    types: tuple[str | None, ...] = ("JWT", "at+jwt", None)
    leeway: float = 0

    # No access token lacks them. A delegation receipt has neither.
    always_required: ClassVar[tuple[str, ...]] = ("exp", "sub")

    def requirements(self) -> dict[str, Any]:
        """As for every provider; without an audience, :meth:`check` compares it."""
        return {**super().requirements(), "audience": ANY_AUDIENCE if self.audience is None else self.audience}

    def form(self, header: Members, claims: Members) -> Identity:
        """Return the identity in an access token.

        Its claims distinguish it from the other kinds, since all but transaction tokens have the ``typ`` ``JWT``.
        Raises :class:`~watchword.UnknownKeyError` if the token has no ``kid``: the server's tokens always have one.
        """
        if claims.get("type") == "delegation_receipt" or {"token_jti", "parent_jti"} <= claims.keys():
            raise WrongTypeError("a delegation receipt is not an access token")
        if "req_wl" in claims or "rctx" in claims or "tctx" in claims:
            raise WrongTypeError("a transaction token is not an access token")
        # Of the tokens with an id of the server, only a grant for another authorization server has "nbf".
        if claims.get("nbf") is not None and _begins(claims.get("jti"), _TOKEN_ID):
            raise WrongTypeError("a grant for another authorization server is not an access token")
        if "htm" in claims or "htu" in claims:
            raise WrongTypeError("a DPoP proof is not an access token")
        if not header.get("kid"):
            raise UnknownKeyError("the token has no kid")
        check_not_anothers(header, claims, "authgent")
        return read_identity(claims)

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> Identity:
        """Check that the token is an access token for this audience. Returns the identity in it."""
        del now, keys  # the kernel has checked all dates and signatures
        if self.audience is None and token.audience and not self._is_for_its_issuer(token):
            # Without the audiences: they are verified, but whoever requested the token chose them.
            raise WrongAudienceError(
                "the token is for another audience than its issuer, as every exchanged token is: pass audience= with "
                "the one that this service accepts"
            )
        return self.form(token.header, token.claims)

    def _is_for_its_issuer(self, token: VerifiedToken) -> bool:
        return token.issuer in self.issuers and token.issuer in token.audience


def _scopes(claim: object) -> list[str]:
    """Return the scopes of a claim, separated by spaces and by nothing else (RFC 6749 section 3.3)."""
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
