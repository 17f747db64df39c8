"""The one closed set of things that can be wrong with a token, and the exceptions that carry them.

The kernel decides the code; this module gives each code a class, so that ``except watchword.ExpiredError`` reads as
it means, and says what an HTTP server answers (RFC 6750 section 3.1, RFC 9449 section 7.1).

A caller's own mistake (a policy that cannot be met, a token that is not text) is a ``ValueError`` or a ``TypeError``,
never a :class:`VerificationError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.errors.authentication import (
    InsufficientUserAuthenticationError,
)
from watchword.errors.code import (
    ErrorCode,
)
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
from watchword.errors.dpop import (
    DpopError,
    KeyMismatchError,
    MalformedProofClaimsError,
    MalformedProofError,
    MissingProofClaimError,
    MissingProofError,
    NonceRequiredError,
    PrivateKeyInProofError,
    ProofAlgorithmError,
    ProofCriticalHeaderError,
    ProofExpiredError,
    ProofInFutureError,
    ProofKeyError,
    ProofMethodError,
    ProofNonceError,
    ProofSignatureError,
    ProofTooLargeError,
    ProofTypeError,
    ProofUriError,
    ReplayedProofError,
    ReplayUnavailableError,
    SeveralProofsError,
    UnboundTokenError,
    WrongAccessTokenError,
)
from watchword.errors.key_set import (
    KeySetError,
)
from watchword.errors.request import (
    MalformedRequestError,
    MissingTokenError,
)
from watchword.errors.scope import (
    InsufficientScopeError,
    ScopeSyntaxError,
)
from watchword.errors.token import (
    AlgorithmNotAllowedError,
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
from watchword.errors.verification import (
    DPOP_ALGORITHMS,
    VerificationError,
)

if TYPE_CHECKING:
    from watchword._kernel import _Evidence

_BY_CODE: dict[str, type[VerificationError]] = {
    kind.code.value: kind
    for kind in (
        TooLargeError,
        MalformedTokenError,
        UnsupportedError,
        MalformedHeaderError,
        UnsupportedCriticalHeaderError,
        WrongTypeError,
        AlgorithmNotAllowedError,
        UnknownKeyError,
        KeysUnavailableError,
        InvalidSignatureError,
        MalformedClaimsError,
        ExpiredError,
        NotYetValidError,
        IssuedInFutureError,
        WrongIssuerError,
        WrongAudienceError,
        MissingClaimError,
        ProofRequiredError,
        SeveralProofsError,
        MissingProofError,
        ProofTooLargeError,
        MalformedProofError,
        ProofCriticalHeaderError,
        ProofTypeError,
        ProofAlgorithmError,
        PrivateKeyInProofError,
        ProofKeyError,
        ProofSignatureError,
        MalformedProofClaimsError,
        MissingProofClaimError,
        ProofMethodError,
        ProofUriError,
        NonceRequiredError,
        ProofNonceError,
        ProofExpiredError,
        ProofInFutureError,
        WrongAccessTokenError,
        KeyMismatchError,
        UnboundTokenError,
        ReplayedProofError,
        ReplayUnavailableError,
        MissingTokenError,
        MalformedRequestError,
        InsufficientScopeError,
        InsufficientUserAuthenticationError,
        DelegationMalformedError,
        DelegationHashMismatchError,
        DelegationSignatureError,
        DelegationTooDeepError,
        DelegationCycleError,
        NoHumanRootError,
        ActorNotAllowedError,
        ScopeWidenedError,
    )
}


def from_code(code: str, detail: str, evidence: _Evidence | None = None) -> VerificationError:
    """The exception for a kernel verdict; called by the binding. Raises ``KeyError`` for a code that does not exist."""
    error = _BY_CODE[code](detail)
    error._evidence = evidence
    return error


__all__ = [
    "DPOP_ALGORITHMS",
    "ActorNotAllowedError",
    "AlgorithmNotAllowedError",
    "ClaimError",
    "DelegationCycleError",
    "DelegationError",
    "DelegationHashMismatchError",
    "DelegationMalformedError",
    "DelegationSignatureError",
    "DelegationTooDeepError",
    "DpopError",
    "ErrorCode",
    "ExpiredError",
    "InsufficientScopeError",
    "InsufficientUserAuthenticationError",
    "InvalidSignatureError",
    "IssuedInFutureError",
    "KeyMismatchError",
    "KeySetError",
    "KeysUnavailableError",
    "MalformedClaimsError",
    "MalformedError",
    "MalformedHeaderError",
    "MalformedProofClaimsError",
    "MalformedProofError",
    "MalformedRequestError",
    "MalformedTokenError",
    "MissingClaimError",
    "MissingProofClaimError",
    "MissingProofError",
    "MissingTokenError",
    "NoHumanRootError",
    "NonceRequiredError",
    "NotYetValidError",
    "PrivateKeyInProofError",
    "ProofAlgorithmError",
    "ProofCriticalHeaderError",
    "ProofExpiredError",
    "ProofInFutureError",
    "ProofKeyError",
    "ProofMethodError",
    "ProofNonceError",
    "ProofRequiredError",
    "ProofSignatureError",
    "ProofTooLargeError",
    "ProofTypeError",
    "ProofUriError",
    "ReplayUnavailableError",
    "ReplayedProofError",
    "ScopeSyntaxError",
    "ScopeWidenedError",
    "SeveralProofsError",
    "TooLargeError",
    "UnboundTokenError",
    "UnknownKeyError",
    "UnsupportedCriticalHeaderError",
    "UnsupportedError",
    "VerificationError",
    "WrongAccessTokenError",
    "WrongAudienceError",
    "WrongIssuerError",
    "WrongTypeError",
    "from_code",
]
