"""Every kind of bad token that an in-memory issuer can mint, by name, and the error code that is expected for each.

Each has exactly one defect; unless the name says otherwise its signature is valid and made with a published key, so
that a verifier which misses the defect accepts the token.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from watchword import ErrorCode


class Defect(enum.StrEnum):
    """A kind of bad token: the closed list, in the order of the checks that find them.

    ``code`` is the error code that is expected under the policy of :meth:`LocalIssuer.policy`.
    """

    code: ErrorCode

    def __new__(cls, value: str, code: ErrorCode) -> Defect:
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        return member

    @classmethod
    def named(cls, name: str) -> Defect:
        """Return the defect of that name; a defect is returned as it is. Raises ``ValueError`` for an unknown name."""
        found = next((defect for defect in cls if defect.value == name), None)
        if found is None:
            raise ValueError(f"unknown defect {name!r}: list(Defect) shows all names")
        return found

    # The form
    TOKEN_TOO_LARGE = "token too large", ErrorCode.TOO_LARGE
    HEADER_TOO_LARGE = "header too large", ErrorCode.TOO_LARGE
    EMPTY_TOKEN = "empty token", ErrorCode.MALFORMED_TOKEN
    TWO_PARTS = "two parts", ErrorCode.MALFORMED_TOKEN
    FOUR_PARTS = "four parts", ErrorCode.MALFORMED_TOKEN
    FIVE_PARTS = "five parts", ErrorCode.UNSUPPORTED
    JSON_SERIALISATION = "json serialisation", ErrorCode.MALFORMED_TOKEN
    BEARER_PREFIX = "bearer prefix", ErrorCode.MALFORMED_TOKEN
    LEADING_SPACE = "leading space", ErrorCode.MALFORMED_TOKEN
    TRAILING_NEWLINE = "trailing newline", ErrorCode.MALFORMED_TOKEN
    NEWLINE_INSIDE = "newline inside", ErrorCode.MALFORMED_TOKEN
    NON_ASCII = "non-ascii", ErrorCode.MALFORMED_TOKEN
    PADDING = "padding", ErrorCode.MALFORMED_TOKEN
    STANDARD_ALPHABET = "standard base64 alphabet", ErrorCode.MALFORMED_TOKEN
    NON_CANONICAL_PAYLOAD = "non-canonical last character of the payload", ErrorCode.MALFORMED_TOKEN
    NON_CANONICAL_SIGNATURE = "non-canonical last character of the signature", ErrorCode.MALFORMED_TOKEN
    # The header
    EMPTY_HEADER = "empty header", ErrorCode.MALFORMED_HEADER
    HEADER_NOT_AN_OBJECT = "header not an object", ErrorCode.MALFORMED_HEADER
    HEADER_MEMBER_TWICE = "header member twice", ErrorCode.MALFORMED_HEADER
    HEADER_BOM = "byte order mark before the header", ErrorCode.MALFORMED_HEADER
    HEADER_TRAILING_BYTES = "trailing bytes after the header", ErrorCode.MALFORMED_HEADER
    HEADER_LONE_SURROGATE = "lone surrogate in the header", ErrorCode.MALFORMED_HEADER
    HEADER_TOO_DEEP = "header nested too deep", ErrorCode.MALFORMED_HEADER
    ALG_MISSING = "alg missing", ErrorCode.MALFORMED_HEADER
    ALG_NOT_A_STRING = "alg not a string", ErrorCode.MALFORMED_HEADER
    KID_NOT_A_STRING = "kid not a string", ErrorCode.MALFORMED_HEADER
    CRIT_UNKNOWN = "crit unknown", ErrorCode.UNSUPPORTED_CRITICAL_HEADER
    CRIT_EMPTY = "crit empty", ErrorCode.UNSUPPORTED_CRITICAL_HEADER
    B64_FALSE = "b64 false", ErrorCode.UNSUPPORTED_CRITICAL_HEADER
    DPOP_PROOF = "typ of a DPoP proof", ErrorCode.WRONG_TYPE
    LOGOUT_TOKEN = "typ of a logout token", ErrorCode.WRONG_TYPE
    # The algorithm and the key
    ALG_NONE = "alg none", ErrorCode.ALGORITHM_NOT_ALLOWED
    ALG_NONE_CAPITALS = "alg NONE", ErrorCode.ALGORITHM_NOT_ALLOWED
    ALG_NONE_MIXED_CASE = "alg nOnE", ErrorCode.ALGORITHM_NOT_ALLOWED
    ALG_NONE_SIGNED = "alg none over a good signature", ErrorCode.ALGORITHM_NOT_ALLOWED
    HMAC_WITH_PUBLIC_PEM = "HS256 keyed with the public key in PEM", ErrorCode.ALGORITHM_NOT_ALLOWED
    HMAC_WITH_PUBLIC_JWK = "HS256 keyed with the public JWK", ErrorCode.ALGORITHM_NOT_ALLOWED
    ALG_OF_ANOTHER_KEY = "alg of another key", ErrorCode.ALGORITHM_NOT_ALLOWED
    UNKNOWN_KEY_ID = "unknown kid", ErrorCode.UNKNOWN_KEY
    JKU_WITH_UNKNOWN_KEY_ID = "jku beside an unknown kid", ErrorCode.UNKNOWN_KEY
    # The signature
    ATTACKERS_KEY = "an attacker's key under a known kid", ErrorCode.INVALID_SIGNATURE
    EMBEDDED_JWK = "embedded jwk of an attacker", ErrorCode.INVALID_SIGNATURE
    JKU = "jku of an attacker", ErrorCode.INVALID_SIGNATURE
    CLAIMS_CHANGED = "claims changed after signing", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_FLIPPED = "one bit of the signature flipped", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_TRUNCATED = "signature truncated", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_LENGTHENED = "signature one byte longer", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_EMPTY = "signature empty", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_ZERO = "signature all zero", ErrorCode.INVALID_SIGNATURE
    SIGNATURE_DER = "ECDSA signature in DER", ErrorCode.INVALID_SIGNATURE
    EXPIRED_AND_FORGED = "expired, and one bit of the signature flipped", ErrorCode.INVALID_SIGNATURE
    # The form of the claims
    EMPTY_PAYLOAD = "empty payload", ErrorCode.MALFORMED_CLAIMS
    PAYLOAD_NOT_AN_OBJECT = "payload not an object", ErrorCode.MALFORMED_CLAIMS
    PAYLOAD_NOT_JSON = "payload not JSON", ErrorCode.MALFORMED_CLAIMS
    PAYLOAD_NOT_UTF8 = "payload not UTF-8", ErrorCode.MALFORMED_CLAIMS
    PAYLOAD_BOM = "byte order mark before the payload", ErrorCode.MALFORMED_CLAIMS
    PAYLOAD_TRAILING_BYTES = "trailing bytes after the payload", ErrorCode.MALFORMED_CLAIMS
    CLAIM_TWICE = "claim twice", ErrorCode.MALFORMED_CLAIMS
    CLAIM_LONE_SURROGATE = "lone surrogate in a claim", ErrorCode.MALFORMED_CLAIMS
    CLAIMS_TOO_DEEP = "claims nested too deep", ErrorCode.MALFORMED_CLAIMS
    EXP_STRING = "exp a string", ErrorCode.MALFORMED_CLAIMS
    EXP_BOOLEAN = "exp a boolean", ErrorCode.MALFORMED_CLAIMS
    EXP_NULL = "exp null", ErrorCode.MALFORMED_CLAIMS
    EXP_ARRAY = "exp an array", ErrorCode.MALFORMED_CLAIMS
    EXP_NEGATIVE = "exp negative", ErrorCode.MALFORMED_CLAIMS
    EXP_NAN = "exp NaN", ErrorCode.MALFORMED_CLAIMS
    EXP_INFINITE = "exp 1e400", ErrorCode.MALFORMED_CLAIMS
    EXP_TOO_FAR = "exp after the year 9999", ErrorCode.MALFORMED_CLAIMS
    ISS_ARRAY = "iss an array", ErrorCode.MALFORMED_CLAIMS
    SUB_NUMBER = "sub a number", ErrorCode.MALFORMED_CLAIMS
    AUD_NUMBER = "aud a number", ErrorCode.MALFORMED_CLAIMS
    CNF_NOT_AN_OBJECT = "cnf not an object", ErrorCode.MALFORMED_CLAIMS
    # The values of the claims
    EXPIRED = "expired", ErrorCode.EXPIRED
    NOT_YET_VALID = "not yet valid", ErrorCode.NOT_YET_VALID
    ISSUED_IN_FUTURE = "issued in the future", ErrorCode.ISSUED_IN_FUTURE
    WRONG_ISSUER = "wrong issuer", ErrorCode.WRONG_ISSUER
    ISSUER_WITH_SLASH = "issuer with one slash more", ErrorCode.WRONG_ISSUER
    MISSING_ISSUER = "missing iss", ErrorCode.MISSING_CLAIM
    WRONG_AUDIENCE = "wrong audience", ErrorCode.WRONG_AUDIENCE
    AUDIENCE_PREFIX = "audience cut short", ErrorCode.WRONG_AUDIENCE
    AUD_EMPTY = "aud an empty array", ErrorCode.MISSING_CLAIM
    MISSING_AUDIENCE = "missing aud", ErrorCode.MISSING_CLAIM
    MISSING_EXP = "missing exp", ErrorCode.MISSING_CLAIM
    BOUND_OTHERWISE = "bound by an unknown confirmation method", ErrorCode.UNSUPPORTED
    BOUND_TO_CERTIFICATE = "bound to a certificate, without it", ErrorCode.CERTIFICATE_REQUIRED
    BOUND_TO_KEY = "bound to a key, without a proof", ErrorCode.DPOP_PROOF_REQUIRED


class BadToken(NamedTuple):
    """A bad token, its defect, and the error code that is expected for it."""

    defect: Defect
    code: ErrorCode
    token: str

    def __repr__(self) -> str:
        return f"BadToken(defect={self.defect.value!r}, code={self.code.value!r}, {len(self.token)} characters)"
