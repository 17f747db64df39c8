"""What is wrong with the rows of a log, how often, and the error code that is expected for each.

The expected code never depends on chance, nor on the tolerances of whoever verifies:

- a defect of a token (:class:`Defect`) is the only one of its row: the row's time is within the token's lifetime, and
  the token names a configured issuer and a key that this issuer lists then, unless the defect is about that;
- a use after expiry is at least 61 seconds late, so any leeway of up to a minute finds it;
- a key that the issuer does not list is at least five days away from the time in which it is listed;
- a row before the archive begins is at least one day before it;
- a compromised key is used while the issuer still lists it, after the theft: whether a thief or the issuer signed.

Left out are defects that depend on who looks: those that a text format cannot carry (an empty token is no token in
CSV, a line break ends a line, white space and ``Bearer`` may be removed by a reader), those whose ``iss`` cannot be
read (``wrong_issuer`` if there are several issuers, whatever else is wrong), and those that sign with random keys.
"""

from __future__ import annotations

from typing import NamedTuple

from watchword import ErrorCode
from watchword.testing.defects import Defect
from watchword.testing.request_defects import RequestDefect


class Case(NamedTuple):
    """What a row has, its expected ``code`` (``None`` if it is valid), and its share: of 100,000 rows."""

    name: str
    code: str | None
    share: int
    defect: Defect | RequestDefect | None = None


def _defect(defect: Defect | RequestDefect, share: int, code: str | None = None) -> Case:
    return Case(defect.value, code or defect.code.value, share, defect)


VALID = Case("valid", None, 0)

USED_AFTER_EXPIRY = Case("used after expiry", ErrorCode.EXPIRED.value, 1500)
TIME_MISSING = Case("no time", "invalid_time", 100)
TOKEN_MISSING = Case("no token", ErrorCode.MISSING_TOKEN.value, 200)
KEY_NOT_LISTED = Case("key withdrawn, or not yet published", ErrorCode.UNKNOWN_KEY.value, 150)
KEY_OF_ANOTHER_ISSUER = Case("key of another issuer", ErrorCode.UNKNOWN_KEY.value, 50)
ANOTHER_KEY = Case("another issuer's key under this issuer's kid", ErrorCode.INVALID_SIGNATURE.value, 100)
BEFORE_THE_ARCHIVE = Case("before the archive begins", "keys_not_recorded", 1000)
FORGED_WITH_STOLEN_KEY = Case("forged with the stolen key, iat before the theft", "key_compromised", 60)
SIGNED_AFTER_THE_THEFT = Case("signed by the issuer with the stolen key", "key_compromised", 40)

#: Those with the stolen key.
STOLEN = (FORGED_WITH_STOLEN_KEY, SIGNED_AFTER_THE_THEFT)

_D = Defect
#: Those of the whole year, in the order of the checks.
OF_THE_YEAR = (
    TOKEN_MISSING,
    TIME_MISSING,
    _defect(_D.TOKEN_TOO_LARGE, 10),
    _defect(_D.HEADER_TOO_LARGE, 10),
    _defect(_D.TWO_PARTS, 50),
    _defect(_D.FOUR_PARTS, 20),
    _defect(_D.JSON_SERIALISATION, 10),
    _defect(_D.NON_ASCII, 10),
    _defect(_D.PADDING, 20),
    _defect(_D.STANDARD_ALPHABET, 20),
    _defect(_D.NON_CANONICAL_PAYLOAD, 20),
    _defect(_D.NON_CANONICAL_SIGNATURE, 20),
    _defect(_D.FIVE_PARTS, 30),
    _defect(_D.EMPTY_HEADER, 10),
    _defect(_D.HEADER_NOT_AN_OBJECT, 10),
    _defect(_D.HEADER_MEMBER_TWICE, 10),
    _defect(_D.HEADER_BOM, 10),
    _defect(_D.HEADER_TRAILING_BYTES, 10),
    _defect(_D.HEADER_LONE_SURROGATE, 10),
    _defect(_D.HEADER_TOO_DEEP, 10),
    _defect(_D.ALG_MISSING, 10),
    _defect(_D.ALG_NOT_A_STRING, 10),
    _defect(_D.KID_NOT_A_STRING, 10),
    _defect(_D.CRIT_UNKNOWN, 20),
    _defect(_D.CRIT_EMPTY, 10),
    _defect(_D.B64_FALSE, 20),
    _defect(_D.DPOP_PROOF, 30),
    _defect(_D.LOGOUT_TOKEN, 50),
    _defect(_D.ALG_NONE, 50),
    _defect(_D.ALG_NONE_MIXED_CASE, 10),
    _defect(_D.ALG_NONE_SIGNED, 20),
    _defect(_D.HMAC_WITH_PUBLIC_PEM, 50),
    _defect(_D.HMAC_WITH_PUBLIC_JWK, 20),
    _defect(_D.ALG_OF_ANOTHER_KEY, 50),
    _defect(_D.UNKNOWN_KEY_ID, 100),
    KEY_NOT_LISTED,
    KEY_OF_ANOTHER_ISSUER,
    ANOTHER_KEY,
    _defect(_D.CLAIMS_CHANGED, 200),
    _defect(_D.SIGNATURE_FLIPPED, 200),
    _defect(_D.SIGNATURE_TRUNCATED, 20),
    _defect(_D.SIGNATURE_LENGTHENED, 20),
    _defect(_D.SIGNATURE_EMPTY, 20),
    _defect(_D.SIGNATURE_ZERO, 20),
    _defect(_D.EXPIRED_AND_FORGED, 50),
    _defect(_D.EXP_STRING, 20),
    _defect(_D.EXP_BOOLEAN, 10),
    _defect(_D.EXP_NULL, 10),
    _defect(_D.EXP_ARRAY, 10),
    _defect(_D.EXP_NEGATIVE, 10),
    _defect(_D.SUB_NUMBER, 20),
    _defect(_D.AUD_NUMBER, 10),
    _defect(_D.CNF_NOT_AN_OBJECT, 10),
    USED_AFTER_EXPIRY,
    _defect(_D.NOT_YET_VALID, 100),
    _defect(_D.ISSUED_IN_FUTURE, 100),
    _defect(_D.WRONG_ISSUER, 150),
    _defect(_D.ISSUER_WITH_SLASH, 50),
    _defect(_D.MISSING_AUDIENCE, 50),
    _defect(_D.AUD_EMPTY, 20),
    _defect(_D.WRONG_AUDIENCE, 300),
    _defect(_D.AUDIENCE_PREFIX, 50),
    _defect(_D.MISSING_EXP, 50),
    _defect(_D.BOUND_OTHERWISE, 30),
    _defect(_D.BOUND_TO_CERTIFICATE, 100),
    _defect(_D.BOUND_TO_KEY, 100),
)

_R = RequestDefect
VALID_WITH_PROOF = Case("valid, with a proof", None, 20_000)
#: Valid but for what was seen before: no token and no proof is at fault alone.
REPLAYED = Case(_R.PROOF_REPLAYED.value, None, 200, _R.PROOF_REPLAYED)
MALFORMED_PROOF = Case("proof cut short", ErrorCode.DPOP_MALFORMED_PROOF.value, 20)
BOUND_TOKEN_WITHOUT_PROOF = _defect(_R.BOUND_TOKEN_AS_BEARER, 50)
UNBOUND_TOKEN_WITH_PROOF = _defect(_R.UNBOUND_TOKEN_WITH_PROOF, 30)
#: Those of a log with proofs, besides all others.
WITH_PROOFS = (
    VALID_WITH_PROOF,
    REPLAYED,
    MALFORMED_PROOF,
    BOUND_TOKEN_WITHOUT_PROOF,
    UNBOUND_TOKEN_WITH_PROOF,
    _defect(_R.PROOF_FORGED, 50),
    _defect(_R.PROOF_OF_ANOTHER_KEY, 50),
    _defect(_R.PROOF_FOR_ANOTHER_METHOD, 40),
    _defect(_R.PROOF_FOR_ANOTHER_PATH, 40),
    _defect(_R.PROOF_FOR_ANOTHER_HOST, 20),
    _defect(_R.PROOF_FOR_ANOTHER_TOKEN, 40),
    _defect(_R.PROOF_WITHOUT_TOKEN_HASH, 20),
    _defect(_R.PROOF_EXPIRED, 50),
    _defect(_R.PROOF_ISSUED_IN_FUTURE, 20),
)
