"""Watchword verifies JSON Web Tokens for resource servers: offline, strictly, fast.

    keys = watchword.KeySet.from_json(jwks)
    policy = watchword.Policy(issuer="https://as.example", audience="https://api.example")
    token = watchword.verify(raw, keys, policy)  # VerifiedToken, or raises VerificationError

    verifier = watchword.Verifier([watchword.Issuer("https://as.example")], audience="https://api.example")
    token = verifier.verify(raw)  # the issuer's keys are discovered, fetched and cached

DPoP, delegation and scopes are in :mod:`watchword.dpop`, :mod:`watchword.delegation` and :mod:`watchword.scopes`; key
sources in :mod:`watchword.jwks`, errors in :mod:`watchword.errors`, limits in :mod:`watchword.limits`, settings for
well-known issuers in :mod:`watchword.issuers`, an issuer for tests in :mod:`watchword.testing`, and provider profiles
in :mod:`watchword.providers`.
"""

from __future__ import annotations

import time as _time
from collections.abc import Iterable as _Iterable
from collections.abc import Sequence as _Sequence

from watchword import _kernel, dpop, scopes, tables
from watchword._kernel import (
    ANY_AUDIENCE,
    ANY_TENANT,
    Actor,
    AnyAudience,
    AnyTenant,
    BatchResult,
    Confirmation,
    DelegationChain,
    DpopProof,
    KeySet,
    MayAct,
    Policy,
    PublicKey,
    RejectedKey,
    TokenCache,
    TokenCacheStats,
    UnverifiedToken,
    VerifiedJws,
    VerifiedToken,
    __version__,
    decode_unverified,
    thumbprint,
    thumbprint_uri,
)
from watchword.authentication import require_authentication
from watchword.batch import MergedResults
from watchword.errors.authentication import InsufficientUserAuthenticationError
from watchword.errors.code import ErrorCode
from watchword.errors.delegation import (
    ActorNotAllowedError,
    DelegationCycleError,
    DelegationError,
    DelegationHashMismatchError,
    DelegationMalformedError,
    DelegationSignatureError,
    DelegationTooDeepError,
    NoHumanRootError,
    ScopeWidenedError,
)
from watchword.errors.dpop import DpopError
from watchword.errors.key_set import KeySetError
from watchword.errors.request import (
    AmbiguousPathError,
    InternalError,
    MalformedRequestError,
    MissingTokenError,
    NoRouteError,
    TokenInBodyError,
    TokenInQueryError,
    UntrustedIdentityError,
)
from watchword.errors.scope import InsufficientScopeError, ScopeSyntaxError
from watchword.errors.token import (
    AlgorithmNotAllowedError,
    CertificateMismatchError,
    CertificateRequiredError,
    ClaimError,
    ExpiredError,
    InvalidSignatureError,
    IssuedInFutureError,
    KeysUnavailableError,
    MalformedClaimsError,
    MalformedError,
    MalformedHeaderError,
    MalformedTokenError,
    MissingClaimError,
    NotYetValidError,
    ProofRequiredError,
    TooLargeError,
    UnknownKeyError,
    UnsupportedCriticalHeaderError,
    UnsupportedError,
    WrongAudienceError,
    WrongIssuerError,
    WrongTypeError,
)
from watchword.errors.verification import VerificationError
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys
from watchword.request import VerifiedRequest
from watchword.types import Backend, Prepare
from watchword.verifier import Verifier

_Sequence.register(BatchResult)


def verify(
    token: str | bytes,
    keys: KeySet,
    policy: Policy,
    *,
    now: float | None = None,
    proof: DpopProof | None = None,
    certificate: bytes | None = None,
) -> VerifiedToken:
    """Verify a JWT (RFC 7519 section 7.2) as of ``now`` in Unix seconds (``None``: the clock's).

    ``proof`` is the DPoP proof sent with the token (RFC 9449), verified by :mod:`watchword.dpop` for this token. A
    token that is bound to a key needs one, unless the policy accepts it as a bearer token; with one, the token must be
    bound to the proof's key.

    ``certificate`` is the client certificate of the TLS connection, in DER (RFC 8705 section 3). A token that is bound
    to a certificate needs that one; for any other token it is ignored. Whether the certificate itself is valid is for
    whoever terminates TLS to decide.

    Returns a :class:`VerifiedToken`. Raises :class:`VerificationError` if the token is invalid, ``TypeError`` if it is
    neither ``str`` nor ``bytes``, or the certificate is not ``bytes``, ``ValueError`` if ``now`` is not finite or the
    certificate is not in DER.
    """
    return _kernel.verify(token, keys, policy, _time.time() if now is None else now, proof, certificate)


def verify_many(
    tokens: _Iterable[str | bytes],
    keys: KeySet,
    policy: Policy,
    *,
    now: float | _Iterable[float] | None = None,
    threads: int | None = None,
) -> BatchResult:
    """Verify many JWTs as of ``now`` in Unix seconds, on ``threads`` threads (``None``: one per processor).

    ``now`` is one time for all tokens, or a list with the time of each, such as the times at which logged tokens were
    used.

    Returns a sequence with what :func:`verify` would return or raise for each token, in their order. Raises
    ``TypeError`` if one of them is neither ``str`` nor ``bytes``, ``ValueError`` if ``now`` lists another number of
    times, and what a signal handler raises meanwhile (``KeyboardInterrupt``).
    """
    return _kernel.verify_many(tokens, keys, policy, _time.time() if now is None else now, threads)


def verify_jws(
    token: str | bytes,
    keys: KeySet,
    *,
    algorithms: _Iterable[str] | None = None,
    types: _Iterable[str | None] | None = None,
) -> VerifiedJws:
    """Verify a JWS in compact form (RFC 7515 section 5.2) with any payload: claims are not checked.

    ``algorithms`` are the allowed ones (``None``: those of the keys), ``types`` the accepted values of ``typ``, with
    ``None`` for its absence (no list: ``typ`` is not checked).

    Returns a :class:`VerifiedJws`. Raises :class:`VerificationError` if the JWS is invalid.
    """
    return _kernel.verify_jws(token, keys, algorithms, types)


__all__ = [
    "ANY_AUDIENCE",
    "ANY_TENANT",
    "Actor",
    "ActorNotAllowedError",
    "AlgorithmNotAllowedError",
    "AmbiguousPathError",
    "AnyAudience",
    "AnyTenant",
    "Backend",
    "BatchResult",
    "CertificateMismatchError",
    "CertificateRequiredError",
    "ClaimError",
    "Confirmation",
    "DelegationChain",
    "DelegationCycleError",
    "DelegationError",
    "DelegationHashMismatchError",
    "DelegationMalformedError",
    "DelegationSignatureError",
    "DelegationTooDeepError",
    "DpopError",
    "DpopProof",
    "ErrorCode",
    "ExpiredError",
    "InsufficientScopeError",
    "InsufficientUserAuthenticationError",
    "InternalError",
    "InvalidSignatureError",
    "IssuedInFutureError",
    "Issuer",
    "IssuerKeys",
    "KeySet",
    "KeySetError",
    "KeysUnavailableError",
    "MalformedClaimsError",
    "MalformedError",
    "MalformedHeaderError",
    "MalformedRequestError",
    "MalformedTokenError",
    "MayAct",
    "MergedResults",
    "MissingClaimError",
    "MissingTokenError",
    "NoHumanRootError",
    "NoRouteError",
    "NotYetValidError",
    "Policy",
    "Prepare",
    "ProofRequiredError",
    "PublicKey",
    "RejectedKey",
    "ScopeSyntaxError",
    "ScopeWidenedError",
    "TokenCache",
    "TokenCacheStats",
    "TokenInBodyError",
    "TokenInQueryError",
    "TooLargeError",
    "UnknownKeyError",
    "UnsupportedCriticalHeaderError",
    "UnsupportedError",
    "UntrustedIdentityError",
    "UnverifiedToken",
    "VerificationError",
    "VerifiedJws",
    "VerifiedRequest",
    "VerifiedToken",
    "Verifier",
    "WrongAudienceError",
    "WrongIssuerError",
    "WrongTypeError",
    "__version__",
    "decode_unverified",
    "dpop",
    "require_authentication",
    "scopes",
    "tables",
    "thumbprint",
    "thumbprint_uri",
    "verify",
    "verify_jws",
    "verify_many",
]
