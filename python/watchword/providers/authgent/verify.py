"""Access tokens, verified in an event loop and without one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from watchword import KeySet, VerifiedToken, base64url, decode_unverified
from watchword.errors import VerificationError
from watchword.issuer_keys import NO_KEYS
from watchword.jwks import MemorySource
from watchword.providers.authgent.errors import AuthgentError, InvalidTokenError, ServerError, translate_errors
from watchword.providers.authgent.jwks import JWKSFetcher, KeyFetcher
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.requirements import Requirements
from watchword.providers.authgent.session import DEFAULT_SESSION, Session
from watchword.waiting import Call, Steps, finish, finish_async

if TYPE_CHECKING:
    from watchword import AnyAudience, Verifier
    from watchword.dpop import DpopVerifier


async def verify_token(
    token: str,
    issuer: str,
    audience: str | Iterable[str] | AnyAudience | None = None,
    jwks_fetcher: KeyFetcher | None = None,
    *,
    dpop_proof: str | None = None,
    http_method: str | None = None,
    http_uri: str | None = None,
    bound_tokens: Literal["reject", "accept"] = "reject",
    leeway: float = 0,
    dpop: DpopVerifier | None = None,
    session: Session = DEFAULT_SESSION,
    allow_http_hosts: Iterable[str] = (),
) -> AgentIdentity:
    """Verify an access token of ``issuer`` (RFC 7519 section 7.2, RFC 8725 section 3).

    ``audience`` is an audience that the token must name, or several, one of which suffices. Without it, a token that
    has ``aud`` must name the issuer itself, as authgent-server's tokens do if no resource was requested;
    :data:`watchword.ANY_AUDIENCE` accepts any. A token that is bound to a key needs the DPoP proof of its request (RFC
    9449 section 7.1): ``dpop_proof``, with the request's ``http_method`` and ``http_uri``; ``bound_tokens="accept"``
    accepts it without. ``leeway`` is the number of seconds by which clocks may differ.

    ``jwks_fetcher`` has the keys, and ``dpop`` verifies proofs; ``session`` has both if they are not given. Without a
    ``jwks_fetcher``, ``issuer`` must be an https URL, or an http URL of loopback or of one of ``allow_http_hosts``:
    exact host names or addresses, for an issuer inside a cluster. Whoever is on the way to it can replace the keys.

    Returns an :class:`AgentIdentity`. Raises :class:`InvalidTokenError` for the token, :class:`DPoPError` for the
    proof, :class:`ServerError` if keys or the replay store are unavailable; ``TypeError`` or ``ValueError`` if an
    argument is invalid.
    """
    requirements = Requirements.of(issuer, audience, dpop or session.dpop, leeway=leeway, bound_tokens=bound_tokens)
    request = _Request.of(token, dpop_proof, http_method, http_uri)
    if jwks_fetcher is None:
        jwks_fetcher = session.fetcher(issuer, allow_http_hosts=allow_http_hosts)
    return await finish_async(_verify(requirements, jwks_fetcher, request))


def verify_token_sync(
    token: str,
    issuer: str,
    audience: str | Iterable[str] | AnyAudience | None = None,
    jwks_fetcher: JWKSFetcher | None = None,
    *,
    dpop_proof: str | None = None,
    http_method: str | None = None,
    http_uri: str | None = None,
    bound_tokens: Literal["reject", "accept"] = "reject",
    leeway: float = 0,
    dpop: DpopVerifier | None = None,
    session: Session = DEFAULT_SESSION,
    allow_http_hosts: Iterable[str] = (),
) -> AgentIdentity:
    """As :func:`verify_token`, for programs without an event loop: ``jwks_fetcher`` must be a :class:`JWKSFetcher`."""
    requirements = Requirements.of(issuer, audience, dpop or session.dpop, leeway=leeway, bound_tokens=bound_tokens)
    request = _Request.of(token, dpop_proof, http_method, http_uri)
    if jwks_fetcher is None:
        jwks_fetcher = session.fetcher(issuer, allow_http_hosts=allow_http_hosts)
    return finish(_verify(requirements, jwks_fetcher, request))


def identity_of(token: VerifiedToken, raw: str, requirements: Requirements) -> AgentIdentity:
    """Return the identity in a verified token. Raises :class:`~watchword.VerificationError` if a rule fails."""
    identity = requirements.rules.check(token)
    token_hash = None
    if token.confirmation is not None:
        token_hash = base64url.encode(hashlib.sha256(raw.encode()).digest())
    return AgentIdentity.of(identity, token.claims, token_hash)


class _Request(NamedTuple):
    """A token and, if it came by the scheme ``DPoP``, the rest of its request."""

    raw: str
    proof: str | None
    method: str
    uri: str

    @classmethod
    def of(cls, token: object, proof: str | None, method: str | None, uri: str | None) -> _Request:
        """Return the request. Raises :class:`InvalidTokenError` unless the token is text."""
        if isinstance(token, bytes):
            token = token.decode("latin-1")
        elif not isinstance(token, str):
            # None is what a missing header gives, so it is not the caller's mistake.
            raise InvalidTokenError(f"the token must be text, not {type(token).__name__}")
        if proof is None and (method is not None or uri is not None):
            raise TypeError("http_method and http_uri are given without dpop_proof")
        if proof is not None and (method is None or uri is None):
            raise TypeError("dpop_proof needs http_method and http_uri, those of its request")
        return cls(token, proof, method or "", uri or "")

    def verify(self, verifier: Verifier) -> Steps[VerifiedToken]:
        """Verify the token, and its proof if there is one."""
        if self.proof is None:
            found = verifier.verify_current(self.raw)
            return found if found is not None else (yield from verifier.verify_fetching(self.raw))
        headers = {"authorization": f"DPoP {self.raw}", "dpop": self.proof}
        verified = yield from verifier.verify_request_fetching(method=self.method, uri=self.uri, headers=headers)
        return verified.token


def _verify(requirements: Requirements, fetcher: KeyFetcher, request: _Request) -> Steps[AgentIdentity]:
    with translate_errors():
        if isinstance(fetcher, JWKSFetcher):
            verifier = fetcher.verifier(requirements)
        elif callable(getattr(fetcher, "get_key", None)):
            keys = yield Call(_needs_event_loop, lambda: _named_key(fetcher, request.raw, requirements))
            verifier = requirements.verifier(MemorySource(keys))
        else:
            raise TypeError("jwks_fetcher must be a JWKSFetcher, or have its method get_key")
        token = yield from request.verify(verifier)
        return identity_of(token, request.raw, requirements)


async def _named_key(fetcher: KeyFetcher, raw: str, requirements: Requirements) -> KeySet:
    """Return the key that a token names, from a fetcher of the application's own, which may raise anything."""
    unverified = decode_unverified(raw)
    key_id, claims = unverified.header.get("kid"), unverified.claims or {}
    if not key_id or claims.get("iss") not in requirements.rules.issuers:
        # The token is rejected whatever its key, so the fetcher is not called.
        return NO_KEYS
    try:
        keys = KeySet.from_json({"keys": [dict(await fetcher.get_key(key_id))]})
    except (AuthgentError, VerificationError):
        raise
    except Exception as error:
        # Without its message, which may quote anything.
        raise ServerError(f"jwks_fetcher raised {type(error).__name__}") from error
    if len(keys) == 0:
        raise ServerError("jwks_fetcher returned no usable key")
    return keys


def _needs_event_loop() -> NoReturn:
    raise TypeError("without an event loop, jwks_fetcher must be a JWKSFetcher")


__all__ = ["verify_token", "verify_token_sync"]
