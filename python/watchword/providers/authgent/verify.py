"""A token verified, in an event loop and without one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from watchword import _kernel
from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import VerificationError
from watchword.issuer_keys import NO_KEYS
from watchword.jwks.memory import MemorySource
from watchword.providers.authgent.demands import Demands
from watchword.providers.authgent.errors import AuthgentError, InvalidTokenError, ServerError, in_authgents_terms
from watchword.providers.authgent.jwks import JWKSFetcher, KeyFetcher, fetcher_of
from watchword.providers.authgent.models import AgentIdentity

if TYPE_CHECKING:
    from watchword import AnyAudience
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
) -> AgentIdentity:
    """Verifies an access token of ``issuer`` (RFC 7519 section 7.2, RFC 8725 section 3).

    ``audience`` is whom the token must be for, or several, one of whom will do. Without it, a token that is for
    somebody must be for the issuer itself, as authgent-server's are where no resource was asked for;
    :data:`watchword.ANY_AUDIENCE` checks nothing.
    ``jwks_fetcher`` finds the keys; else they are this process's, fetched once and kept. A token that is bound to a
    key needs the DPoP proof of its request (RFC 9449 section 7.1): ``dpop_proof``, with the request's ``http_method``
    and ``http_uri``; ``bound_tokens="accept"`` leaves that to you. ``leeway`` is by how many seconds clocks may
    differ. ``dpop`` judges proofs otherwise than by default.

    Returns an :class:`AgentIdentity`. Raises :class:`InvalidTokenError` for the token, :class:`DPoPError` for the
    proof, :class:`ServerError` where the keys could not be had; ``TypeError`` or ``ValueError`` for what only a caller
    can have done wrong.
    """
    demands = Demands.of(issuer, audience, leeway=leeway, bound_tokens=bound_tokens, dpop=dpop)
    raw = _text(token)
    request = _Request.of(raw, dpop_proof, http_method, http_uri)
    with in_authgents_terms():
        if jwks_fetcher is None or isinstance(jwks_fetcher, JWKSFetcher):
            verifier = (jwks_fetcher or fetcher_of(issuer)).verifier(demands)
        else:
            verifier = demands.verifier(MemorySource(await _key_from(jwks_fetcher, raw, issuer)))
        if request is None:
            return identity_of(await verifier.verify_async(raw), raw, demands)
        return identity_of((await verifier.verify_request_async(**request._asdict())).token, raw, demands)


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
) -> AgentIdentity:
    """As :func:`verify_token`, for programs without an event loop. A fetcher of your own needs one."""
    if jwks_fetcher is not None and not isinstance(jwks_fetcher, JWKSFetcher):
        raise TypeError("without an event loop, jwks_fetcher must be a JWKSFetcher")
    demands = Demands.of(issuer, audience, leeway=leeway, bound_tokens=bound_tokens, dpop=dpop)
    raw = _text(token)
    request = _Request.of(raw, dpop_proof, http_method, http_uri)
    with in_authgents_terms():
        verifier = (jwks_fetcher or fetcher_of(issuer)).verifier(demands)
        if request is None:
            return identity_of(verifier.verify(raw), raw, demands)
        return identity_of(verifier.verify_request(**request._asdict()).token, raw, demands)


def identity_of(token: VerifiedToken, raw: str, demands: Demands) -> AgentIdentity:
    """The agent whom a token names, if it meets the rules. Raises :class:`~watchword.VerificationError`."""
    identity = demands.rules.check(token)
    token_hash = None
    if token.confirmation is not None:
        digest = hashlib.sha256(raw.encode()).digest()
        token_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return AgentIdentity._of(identity, token.claims, token_hash)


class _Request(NamedTuple):
    """A request by the scheme ``DPoP``."""

    method: str
    uri: str
    headers: dict[str, str]

    @classmethod
    def of(cls, raw: str, proof: str | None, method: str | None, uri: str | None) -> _Request | None:
        if proof is None:
            if method is not None or uri is not None:
                raise TypeError("http_method and http_uri go with dpop_proof, which is missing")
            return None
        if method is None or uri is None:
            raise TypeError("dpop_proof needs http_method and http_uri, those of the request that it came with")
        return cls(method, uri, {"authorization": f"DPoP {raw}", "dpop": proof})


def _text(token: object) -> str:
    # None is what a missing header gives; it comes from whoever sent the request, and is no caller's mistake.
    if isinstance(token, bytes):
        return token.decode("latin-1")
    if not isinstance(token, str):
        raise InvalidTokenError("there is no token: it is not text")
    return token


async def _key_from(fetcher: KeyFetcher, raw: str, issuer: str) -> KeySet:
    """The one key that a token names, from a fetcher that may do and raise whatever it likes; none if it names none."""
    if not callable(getattr(fetcher, "get_key", None)):
        raise TypeError("jwks_fetcher must be a JWKSFetcher, or have its method get_key")
    names = _kernel.unverified_names(raw)
    if not names.key_id or names.issuer != issuer:
        # The kernel says what is wrong with the token, whatever its key: the fetcher is not asked.
        return NO_KEYS
    try:
        keys = KeySet.from_json({"keys": [dict(await fetcher.get_key(names.key_id))]})
    except (AuthgentError, VerificationError):
        raise
    except Exception as error:
        # Only its kind is told: a message may quote anything.
        raise ServerError(f"jwks_fetcher raised {type(error).__name__}") from error
    if len(keys) == 0:
        raise ServerError("jwks_fetcher found no usable key")
    return keys


__all__ = ["verify_token", "verify_token_sync"]
