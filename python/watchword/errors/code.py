"""The closed set of error codes."""

from __future__ import annotations

import enum


class ErrorCode(str, enum.Enum):
    """The code of every verification error, in the order of the checks. The values are stable."""

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
    DPOP_TOO_MANY_PROOFS = "dpop_too_many_proofs"
    DPOP_REPLAY_UNAVAILABLE = "dpop_replay_unavailable"
    MISSING_TOKEN = "missing_token"
    MALFORMED_REQUEST = "malformed_request"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
    DELEGATION_MALFORMED = "delegation_malformed"
    DELEGATION_HASH_MISMATCH = "delegation_hash_mismatch"
    DELEGATION_INVALID_SIGNATURE = "delegation_invalid_signature"
    DELEGATION_TOO_DEEP = "delegation_too_deep"
    DELEGATION_CYCLE = "delegation_cycle"
    DELEGATION_NO_HUMAN_ROOT = "delegation_no_human_root"
    DELEGATION_ACTOR_NOT_ALLOWED = "delegation_actor_not_allowed"
    DELEGATION_SCOPE_WIDENED = "delegation_scope_widened"

    def __str__(self) -> str:
        return self.value


__all__ = ["ErrorCode"]
