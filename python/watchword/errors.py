"""The one closed set of things that can be wrong with a token, and the exceptions that carry them.

The kernel decides the code; this module gives each code a class, so that ``except watchword.ExpiredError`` reads as
it means, and says what an HTTP server answers (RFC 6750 section 3.1, RFC 9449 section 7.1).

A caller's own mistake (a policy that cannot be met, a token that is not text) is a ``ValueError`` or a ``TypeError``,
never a :class:`VerificationError`.
"""

from __future__ import annotations

import enum
import re
from typing import ClassVar

#: Scope tokens with single spaces between them (RFC 6749 section 3.3).
_SCOPE = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")

#: What a DPoP proof may be signed by where nothing else is said, as ``algs`` lists it (RFC 9449 section 5.1).
DPOP_ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "ES384", "RS256", "PS256")


class ErrorCode(str, enum.Enum):
    """Every verdict but "valid", in the order of the checks that yield them. The values are stable."""

    TOO_LARGE = "too_large"
    MALFORMED_TOKEN = "malformed_token"
    UNSUPPORTED = "unsupported"
    MALFORMED_HEADER = "malformed_header"
    UNSUPPORTED_CRITICAL_HEADER = "unsupported_critical_header"
    WRONG_TYPE = "wrong_type"
    ALGORITHM_NOT_ALLOWED = "algorithm_not_allowed"
    UNKNOWN_KEY = "unknown_key"
    KEYS_UNAVAILABLE = "keys_unavailable"
    INVALID_SIGNATURE = "invalid_signature"
    MALFORMED_CLAIMS = "malformed_claims"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUED_IN_FUTURE = "issued_in_future"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    MISSING_CLAIM = "missing_claim"
    DPOP_PROOF_REQUIRED = "dpop_proof_required"
    INSUFFICIENT_SCOPE = "insufficient_scope"

    DPOP_SEVERAL_PROOFS = "dpop_several_proofs"
    DPOP_MISSING_PROOF = "dpop_missing_proof"
    DPOP_TOO_LARGE = "dpop_too_large"
    DPOP_MALFORMED_PROOF = "dpop_malformed_proof"
    DPOP_UNSUPPORTED_CRITICAL_HEADER = "dpop_unsupported_critical_header"
    DPOP_WRONG_TYPE = "dpop_wrong_type"
    DPOP_ALGORITHM_NOT_ALLOWED = "dpop_algorithm_not_allowed"
    DPOP_PRIVATE_KEY = "dpop_private_key"
    DPOP_INVALID_KEY = "dpop_invalid_key"
    DPOP_INVALID_SIGNATURE = "dpop_invalid_signature"
    DPOP_MALFORMED_CLAIMS = "dpop_malformed_claims"
    DPOP_MISSING_CLAIM = "dpop_missing_claim"
    DPOP_WRONG_METHOD = "dpop_wrong_method"
    DPOP_WRONG_URI = "dpop_wrong_uri"
    DPOP_NONCE_REQUIRED = "dpop_nonce_required"
    DPOP_WRONG_NONCE = "dpop_wrong_nonce"
    DPOP_EXPIRED = "dpop_expired"
    DPOP_ISSUED_IN_FUTURE = "dpop_issued_in_future"
    DPOP_WRONG_ACCESS_TOKEN = "dpop_wrong_access_token"
    DPOP_KEY_MISMATCH = "dpop_key_mismatch"
    DPOP_UNBOUND_TOKEN = "dpop_unbound_token"
    DPOP_REPLAYED = "dpop_replayed"
    DPOP_REPLAY_UNAVAILABLE = "dpop_replay_unavailable"
    MISSING_TOKEN = "missing_token"
    MALFORMED_REQUEST = "malformed_request"

    def __str__(self) -> str:
        return self.value


class VerificationError(Exception):
    """A token was not accepted.

    ``code`` is the :class:`ErrorCode`; ``detail`` is one sentence for a person (it never holds a token, a key or a
    secret); ``http_status`` is what a resource server answers.
    """

    code: ErrorCode
    http_status: int = 401
    #: The scheme of the challenge: ``DPoP`` for proofs, and for tokens that came with one.
    scheme: str = "Bearer"
    #: The ``error`` of the challenge; ``None`` where there is no challenge.
    oauth_error: str | None = "invalid_token"
    #: The algorithms of a ``DPoP`` challenge.
    algorithms: tuple[str, ...] = DPOP_ALGORITHMS
    _description: ClassVar[str] = "the token was not accepted"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail if detail is not None else self._description
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code.value!r}, detail={self.detail!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.detail,), vars(self))

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """The ``WWW-Authenticate`` value to answer with (RFC 6750 section 3), or ``None`` where it is not the
        sender who has to do better.

        ``resource_metadata`` is the URL of the protected resource's metadata (RFC 9728 section 5.1). Raises
        ``ValueError`` where either holds a character that a quoted string cannot carry.
        """
        if self.oauth_error is None:
            return None
        # The fixed sentence, not the detail: a detail may quote the token's kid, which its sender chose.
        own = {"error": self.oauth_error, "error_description": self._description}
        if self.scheme == "DPoP":
            own["algs"] = " ".join(self.algorithms)
        own |= self._more_parameters()
        parameters = _parameters(realm=realm) + _parameters(**own, resource_metadata=resource_metadata)
        return f"{self.scheme} " + ", ".join(parameters)

    def _more_parameters(self) -> dict[str, str]:
        """What this error has to say beside ``error`` and ``error_description``."""
        return {}


def _parameters(**values: str | None) -> list[str]:
    return [f'{name}="{_quotable(name, value)}"' for name, value in values.items() if value is not None]


def _quotable(name: str, value: str) -> str:
    if any(ch in '"\\' or not " " <= ch <= "~" for ch in value):
        raise ValueError(f"{name} may hold printable ASCII without quotes and backslashes only")
    return value


class MalformedError(VerificationError):
    """What arrived is not a token that this verifier reads, whatever its keys."""


class TooLargeError(MalformedError):
    """The token, or its header, is longer than the limit."""

    code = ErrorCode.TOO_LARGE
    _description = "the token is too large"


class MalformedTokenError(MalformedError):
    """Not three parts of strict base64url (RFC 7515 sections 2 and 7.1)."""

    code = ErrorCode.MALFORMED_TOKEN
    _description = "the token is malformed"


class UnsupportedError(MalformedError):
    """Something real that is not done here: an encrypted token (JWE), a confirmation method other than a key."""

    code = ErrorCode.UNSUPPORTED
    _description = "the token is of a kind that is not supported"


class MalformedHeaderError(MalformedError):
    """The JOSE header is not strict JSON, or a member has the wrong type (RFC 7515 section 4)."""

    code = ErrorCode.MALFORMED_HEADER
    _description = "the token's header is malformed"


class UnsupportedCriticalHeaderError(MalformedError):
    """The header has ``crit`` or ``b64``; no extension is understood (RFC 7515 section 4.1.11, RFC 7797)."""

    code = ErrorCode.UNSUPPORTED_CRITICAL_HEADER
    _description = "the token needs a header extension that is not supported"


class WrongTypeError(VerificationError):
    """``typ`` is not one that the policy accepts (RFC 8725 section 3.11)."""

    code = ErrorCode.WRONG_TYPE
    _description = "the token is of another type"


class AlgorithmNotAllowedError(VerificationError):
    """``alg`` is unknown, not allowed by the policy, or not the key's (RFC 8725 section 3.1)."""

    code = ErrorCode.ALGORITHM_NOT_ALLOWED
    _description = "the token's algorithm is not allowed"


class UnknownKeyError(VerificationError):
    """No key of the set is the one that the token names."""

    code = ErrorCode.UNKNOWN_KEY
    _description = "the token names a key that is not known"


class KeysUnavailableError(VerificationError):
    """The issuer's keys could not be had, so nothing can be said about the token. Not the sender's fault: 503."""

    code = ErrorCode.KEYS_UNAVAILABLE
    http_status = 503
    oauth_error = None
    _description = "the issuer's keys are not available"


class InvalidSignatureError(VerificationError):
    """The signature does not hold; nothing else is said about such a token."""

    code = ErrorCode.INVALID_SIGNATURE
    _description = "the token's signature is invalid"


class ClaimError(VerificationError):
    """The signature holds; what it signs is not acceptable."""


class MalformedClaimsError(ClaimError):
    """The payload is not strict JSON, or a registered claim has the wrong type (RFC 7519 sections 4 and 7.2)."""

    code = ErrorCode.MALFORMED_CLAIMS
    _description = "the token's claims are malformed"


class ExpiredError(ClaimError):
    """``exp`` has passed (RFC 7519 section 4.1.4)."""

    code = ErrorCode.EXPIRED
    _description = "the token has expired"


class NotYetValidError(ClaimError):
    """``nbf`` lies ahead (RFC 7519 section 4.1.5)."""

    code = ErrorCode.NOT_YET_VALID
    _description = "the token is not valid yet"


class IssuedInFutureError(ClaimError):
    """``iat`` lies ahead."""

    code = ErrorCode.ISSUED_IN_FUTURE
    _description = "the token was issued in the future"


class WrongIssuerError(ClaimError):
    """``iss`` is not exactly the issuer that is expected (RFC 7519 section 4.1.1)."""

    code = ErrorCode.WRONG_ISSUER
    _description = "the token is from another issuer"


class WrongAudienceError(ClaimError):
    """``aud`` does not name this audience (RFC 7519 section 4.1.3)."""

    code = ErrorCode.WRONG_AUDIENCE
    _description = "the token is meant for another audience"


class MissingClaimError(ClaimError):
    """A claim that the policy demands is not there."""

    code = ErrorCode.MISSING_CLAIM
    _description = "the token lacks a required claim"


class ProofRequiredError(VerificationError):
    """The token is bound to a key (``cnf``), and no proof of that key came with it (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_PROOF_REQUIRED
    scheme = "DPoP"
    _description = "the token is bound to a key and needs a proof of it"


class DpopError(VerificationError):
    """A DPoP proof (RFC 9449) was not accepted, or does not go with the token.

    ``algorithms`` are those that a new proof may be signed by (``algs``); ``nonce``, where it is not ``None``, is what
    the answer's ``DPoP-Nonce`` header must hold, for the client to try again with. A resource server answers 401, as
    ``http_status`` says; the token endpoint of an authorization server answers 400 with ``oauth_error`` (RFC 9449
    sections 5 and 8).
    """

    scheme = "DPoP"
    oauth_error: str | None = "invalid_dpop_proof"
    nonce: str | None = None


class SeveralProofsError(DpopError):
    """More than one proof: a repeated header, or proofs joined by commas (RFC 9449 section 4.3, check 1)."""

    code = ErrorCode.DPOP_SEVERAL_PROOFS
    _description = "the request has more than one DPoP proof"


class MissingProofError(DpopError):
    """The ``DPoP`` scheme without a ``DPoP`` header (RFC 9449 section 7.1)."""

    code = ErrorCode.DPOP_MISSING_PROOF
    _description = "the request lacks a DPoP proof"


class ProofTooLargeError(DpopError):
    """The proof, or its header, is longer than the limit."""

    code = ErrorCode.DPOP_TOO_LARGE
    _description = "the DPoP proof is too large"


class MalformedProofError(DpopError):
    """Not a JWS in compact form with a JOSE header (check 2)."""

    code = ErrorCode.DPOP_MALFORMED_PROOF
    _description = "the DPoP proof is malformed"


class ProofCriticalHeaderError(DpopError):
    """The header has ``crit`` or ``b64``; no extension is understood."""

    code = ErrorCode.DPOP_UNSUPPORTED_CRITICAL_HEADER
    _description = "the DPoP proof needs a header extension that is not supported"


class ProofTypeError(DpopError):
    """``typ`` is not ``dpop+jwt`` (check 4)."""

    code = ErrorCode.DPOP_WRONG_TYPE
    _description = "the DPoP proof is of another type"


class ProofAlgorithmError(DpopError):
    """``alg`` is not an asymmetric algorithm that is allowed, or not one of the key's (check 5)."""

    code = ErrorCode.DPOP_ALGORITHM_NOT_ALLOWED
    _description = "the DPoP proof's algorithm is not allowed"


class PrivateKeyInProofError(DpopError):
    """``jwk`` is a private key (check 7)."""

    code = ErrorCode.DPOP_PRIVATE_KEY
    _description = "the DPoP proof holds a private key"


class ProofKeyError(DpopError):
    """``jwk`` is missing, or is no public key to verify with."""

    code = ErrorCode.DPOP_INVALID_KEY
    _description = "the DPoP proof's key is missing or not acceptable"


class ProofSignatureError(DpopError):
    """The signature does not hold under ``jwk`` (check 6)."""

    code = ErrorCode.DPOP_INVALID_SIGNATURE
    _description = "the DPoP proof's signature is invalid"


class MalformedProofClaimsError(DpopError):
    """The payload is not strict JSON, or a claim has the wrong type."""

    code = ErrorCode.DPOP_MALFORMED_CLAIMS
    _description = "the DPoP proof's claims are malformed"


class MissingProofClaimError(DpopError):
    """``jti``, ``htm``, ``htu``, ``iat`` (check 3), or ``ath`` beside an access token (check 12), is not there."""

    code = ErrorCode.DPOP_MISSING_CLAIM
    _description = "the DPoP proof lacks a required claim"


class ProofMethodError(DpopError):
    """``htm`` is not the request's method (check 8)."""

    code = ErrorCode.DPOP_WRONG_METHOD
    _description = "the DPoP proof is for another method"


class ProofUriError(DpopError):
    """``htu`` is not the request's URI (check 9)."""

    code = ErrorCode.DPOP_WRONG_URI
    _description = "the DPoP proof is for another URI"


class NonceRequiredError(DpopError):
    """A nonce is demanded, and the proof has none (check 10, RFC 9449 section 9)."""

    code = ErrorCode.DPOP_NONCE_REQUIRED
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a nonce"


class ProofNonceError(DpopError):
    """``nonce`` is not one that this server gave out lately (check 10)."""

    code = ErrorCode.DPOP_WRONG_NONCE
    oauth_error = "use_dpop_nonce"
    _description = "the DPoP proof must carry a newer nonce"


class ProofExpiredError(DpopError):
    """``iat`` lies further back than the proof may be old, or ``exp`` has passed (check 11)."""

    code = ErrorCode.DPOP_EXPIRED
    _description = "the DPoP proof is too old"


class ProofInFutureError(DpopError):
    """``iat`` or ``nbf`` lies ahead (check 11)."""

    code = ErrorCode.DPOP_ISSUED_IN_FUTURE
    _description = "the DPoP proof was made in the future"


class WrongAccessTokenError(DpopError):
    """``ath`` is the hash of another access token (check 12)."""

    code = ErrorCode.DPOP_WRONG_ACCESS_TOKEN
    _description = "the DPoP proof is for another access token"


class KeyMismatchError(DpopError):
    """The proof's key is not the one that the token is bound to (check 12, RFC 9449 section 6)."""

    code = ErrorCode.DPOP_KEY_MISMATCH
    oauth_error = "invalid_token"
    _description = "the token is bound to another key"


class UnboundTokenError(DpopError):
    """A proof came with a token that is not bound to a key: a ``DPoP`` request with a bearer token is a downgrade."""

    code = ErrorCode.DPOP_UNBOUND_TOKEN
    oauth_error = "invalid_token"
    _description = "the token is not bound to a key"


class ReplayedProofError(DpopError):
    """The proof was used before (RFC 9449 section 11.1)."""

    code = ErrorCode.DPOP_REPLAYED
    _description = "the DPoP proof was used before"


class ReplayUnavailableError(DpopError):
    """The memory of used proofs is full or cannot be asked. Not the sender's fault: 503."""

    code = ErrorCode.DPOP_REPLAY_UNAVAILABLE
    http_status = 503
    oauth_error = None
    _description = "whether the DPoP proof was used before cannot be told"


class MissingTokenError(VerificationError):
    """The request has no ``Authorization`` header of the scheme ``DPoP`` or ``Bearer``."""

    code = ErrorCode.MISSING_TOKEN
    _description = "the request carries no access token"

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """Both challenges, without an error: who sends no token is told only what to send (RFC 6750 section 3.1)."""
        common = _parameters(realm=realm, resource_metadata=resource_metadata)
        algorithms = f'algs="{" ".join(self.algorithms)}"'
        return f"DPoP {', '.join([*common, algorithms])}, {' '.join(['Bearer', ', '.join(common)]).rstrip()}"


class MalformedRequestError(VerificationError):
    """``Authorization`` is repeated or malformed (RFC 6750 section 3.1): 400."""

    code = ErrorCode.MALFORMED_REQUEST
    http_status = 400
    oauth_error = "invalid_request"
    _description = "the request's Authorization header is repeated or malformed"


class InsufficientScopeError(VerificationError):
    """The token is valid, and its scopes do not allow what was asked for (RFC 6750 section 3.1): 403.

    ``scope`` is what is needed, as scopes with spaces between them, or ``None`` where nobody said. It goes into
    ``WWW-Authenticate`` where it has the form that RFC 6749 section 3.3 gives it and at most 1024 characters.
    """

    code = ErrorCode.INSUFFICIENT_SCOPE
    http_status = 403
    oauth_error = "insufficient_scope"
    _description = "the token's scopes do not allow this"

    def __init__(self, detail: str | None = None, scope: str | None = None) -> None:
        super().__init__(detail)
        self.scope = scope

    def _more_parameters(self) -> dict[str, str]:
        # Whoever asks chooses the resource, and so a part of this text: only the plainest of it goes into a header.
        if self.scope is None or len(self.scope) > 1024 or not _SCOPE.fullmatch(self.scope):
            return {}
        return {"scope": self.scope}


class ScopeSyntaxError(ValueError):
    """A text is not a scope of the grammar that it was given to."""


class KeySetError(ValueError):
    """A document is not a JWK Set, a JWK, or a public key in PEM or DER. Single bad keys of a set do not raise:
    they are left out and listed in ``KeySet.rejected``.
    """


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
    )
}


def from_code(code: str, detail: str) -> VerificationError:
    """The exception for a kernel verdict; called by the binding. Raises ``KeyError`` for a code that does not exist."""
    return _BY_CODE[code](detail)
