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

    def __str__(self) -> str:
        return self.value


class VerificationError(Exception):
    """A token was not accepted.

    ``code`` is the :class:`ErrorCode`; ``detail`` is one sentence for a person (it never holds a token, a key or a
    secret); ``http_status`` is what a resource server answers.
    """

    code: ErrorCode
    http_status: int = 401
    _scheme: ClassVar[str] = "Bearer"
    _error: ClassVar[str] = "invalid_token"
    _description: ClassVar[str] = "the token was not accepted"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail if detail is not None else self._description
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code.value!r}, detail={self.detail!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.detail,))

    def www_authenticate(self, *, realm: str | None = None, resource_metadata: str | None = None) -> str | None:
        """The ``WWW-Authenticate`` value to answer with (RFC 6750 section 3); ``None`` where the status has none.

        ``resource_metadata`` is the URL of the protected resource's metadata (RFC 9728 section 5.1). Raises
        ``ValueError`` where either holds a character that a quoted string cannot carry.
        """
        if self.http_status not in (401, 403):
            return None
        parameters = []
        if realm is not None:
            parameters.append(f'realm="{_quotable("realm", realm)}"')
        parameters.append(f'error="{self._error}"')
        # The fixed sentence, not the detail: a detail may quote the token's kid, which its sender chose.
        parameters.append(f'error_description="{self._description}"')
        parameters.extend(self._more_parameters())
        if resource_metadata is not None:
            parameters.append(f'resource_metadata="{_quotable("resource_metadata", resource_metadata)}"')
        return f"{self._scheme} " + ", ".join(parameters)

    def _more_parameters(self) -> list[str]:
        """What this error has to say beside ``error`` and ``error_description``."""
        return []


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
    _scheme = "DPoP"
    _description = "the token is bound to a key and needs a proof of it"


class InsufficientScopeError(VerificationError):
    """The token is valid, and its scopes do not allow what was asked for (RFC 6750 section 3.1): 403.

    ``scope`` is what is needed, as scopes with spaces between them, or ``None`` where nobody said. It goes into
    ``WWW-Authenticate`` where it has the form that RFC 6749 section 3.3 gives it and at most 1024 characters.
    """

    code = ErrorCode.INSUFFICIENT_SCOPE
    http_status = 403
    _error = "insufficient_scope"
    _description = "the token's scopes do not allow this"

    def __init__(self, detail: str | None = None, scope: str | None = None) -> None:
        super().__init__(detail)
        self.scope = scope

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.detail, self.scope))

    def _more_parameters(self) -> list[str]:
        # Whoever asks chooses the resource, and so a part of this text: only the plainest of it goes into a header.
        if self.scope is None or len(self.scope) > 1024 or not _SCOPE.fullmatch(self.scope):
            return []
        return [f'scope="{self.scope}"']


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
        InsufficientScopeError,
    )
}


def from_code(code: str, detail: str) -> VerificationError:
    """The exception for a kernel verdict; called by the binding. Raises ``KeyError`` for a code that does not exist."""
    return _BY_CODE[code](detail)
