"""The codes of verdicts on the page: their order, and what each says about a use of a token."""

from __future__ import annotations

from collections.abc import Iterable

from watchword import ErrorCode
from watchword.audit.codes import AuditCode
from watchword.audit.summary import KEY_STATES

#: After which code each of those is checked that only an audit has.
_AFTER = {
    ErrorCode.KEYS_UNAVAILABLE: AuditCode.KEYS_NOT_RECORDED,
    ErrorCode.INVALID_SIGNATURE: AuditCode.KEY_COMPROMISED,
    ErrorCode.MISSING_TOKEN: AuditCode.INVALID_TIME,
}
_CODES = [str(one) for code in ErrorCode for one in (code, _AFTER.get(code)) if one is not None]
_ORDER = {code: index for index, code in enumerate(_CODES)}

#: For readers who do not know the codes; docs/errors.md explains them all to those who run issuers and gates.
MEANINGS = {
    "too_large": "The token is larger than the policy allows.",
    "malformed_token": "The text is not a token.",
    "unsupported": "The token is of a kind that is not verified: encrypted, for example.",
    "malformed_header": "The header of the token is invalid.",
    "unsupported_critical_header": "The header demands an extension that is not supported.",
    "wrong_type": "The token is of another type than the policy allows.",
    "algorithm_not_allowed": "The policy does not allow the algorithm of the signature.",
    "unknown_key": "The issuer did not publish the key that the token names.",
    "keys_unavailable": "The keys of the issuer were not available.",
    "keys_not_recorded": "No record of the issuer's keys covers the time of use.",
    "invalid_signature": "The signature is invalid: the token was changed, or somebody else signed it.",
    "key_compromised": "The signature is valid, but by a key that was compromised by then.",
    "malformed_claims": "The content of the token is invalid.",
    "expired": "The token was used after it had expired.",
    "not_yet_valid": "The token was used before it became valid.",
    "issued_in_future": "The token was issued after the time of its use.",
    "wrong_issuer": "The token names another issuer than the policy allows.",
    "wrong_audience": "The token was issued for another recipient.",
    "missing_claim": "The token lacks a claim that the policy requires.",
    "missing_token": "The row has no token.",
    "invalid_time": "The row has no time of use, or an impossible one.",
    "insufficient_scope": "The token grants less than the policy requires.",
    "dpop_replayed": "The proof of possession had been used before.",
}


def in_order(codes: Iterable[str]) -> list[str]:
    """Return codes in the order of the checks that yield them; unknown ones last."""
    return sorted(codes, key=lambda code: (_ORDER.get(code, len(_ORDER)), code))


def states_in_order(states: Iterable[str]) -> list[str]:
    """Return states of keys in the order in which keys are tried; unknown ones last."""
    known = list(KEY_STATES)
    return sorted(states, key=lambda state: (known.index(state) if state in KEY_STATES else len(known), state))


__all__ = ["MEANINGS", "in_order", "states_in_order"]
