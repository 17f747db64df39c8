//! What a resource server answers for each error code: the one table of statuses, challenges and sentences.

/// The scheme of an `Authorization` header and of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer` (RFC 6750).
    Bearer,
    /// `DPoP` (RFC 9449).
    Dpop,
}

impl Scheme {
    /// The name of the scheme.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// The answer for one error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeAnswer {
    /// The stable name of the error.
    pub code: &'static str,
    /// The status of the response.
    pub status: u16,
    /// The scheme of the challenge, unless the request was sent by another.
    pub scheme: Scheme,
    /// The `error` of the challenge (RFC 6750 section 3.1, RFC 9449 section 7.1); `None`: there is no challenge.
    pub error: Option<&'static str>,
    /// One sentence for the client. It quotes nothing of the request.
    pub description: &'static str,
}

/// The answer for `code`; that of `internal_error` for a code that is not in the table.
pub fn answer_of(code: &str) -> &'static CodeAnswer {
    ANSWERS.iter().find(|answer| answer.code == code).unwrap_or(&INTERNAL_ERROR)
}

const INVALID_TOKEN: Option<&str> = Some("invalid_token");
const INVALID_REQUEST: Option<&str> = Some("invalid_request");
const INVALID_PROOF: Option<&str> = Some("invalid_dpop_proof");
const USE_NONCE: Option<&str> = Some("use_dpop_nonce");
const INSUFFICIENT_SCOPE: Option<&str> = Some("insufficient_scope");

const INTERNAL_ERROR: CodeAnswer = CodeAnswer {
    code: "internal_error",
    status: 500,
    scheme: Scheme::Bearer,
    error: None,
    description: "the request could not be checked",
};

const fn bearer(code: &'static str, status: u16, error: Option<&'static str>, description: &'static str) -> CodeAnswer {
    CodeAnswer { code, status, scheme: Scheme::Bearer, error, description }
}

const fn dpop(code: &'static str, status: u16, error: Option<&'static str>, description: &'static str) -> CodeAnswer {
    CodeAnswer { code, status, scheme: Scheme::Dpop, error, description }
}

/// All answers, in the order of the checks.
pub const ANSWERS: [CodeAnswer; 63] = [
    bearer("too_large", 401, INVALID_TOKEN, "the token is too large"),
    bearer("malformed_token", 401, INVALID_TOKEN, "the token is malformed"),
    bearer("unsupported", 401, INVALID_TOKEN, "the token is of a kind that is not supported"),
    bearer("malformed_header", 401, INVALID_TOKEN, "the token's header is malformed"),
    bearer(
        "unsupported_critical_header",
        401,
        INVALID_TOKEN,
        "the token needs a header extension that is not supported",
    ),
    bearer("wrong_type", 401, INVALID_TOKEN, "the token is of another type"),
    bearer("algorithm_not_allowed", 401, INVALID_TOKEN, "the token's algorithm is not allowed"),
    bearer("unknown_key", 401, INVALID_TOKEN, "the token names a key that is not known"),
    bearer("keys_unavailable", 503, None, "the issuer's keys are not available"),
    bearer("invalid_signature", 401, INVALID_TOKEN, "the token's signature is invalid"),
    bearer("malformed_claims", 401, INVALID_TOKEN, "the token's claims are malformed"),
    bearer("expired", 401, INVALID_TOKEN, "the token has expired"),
    bearer("not_yet_valid", 401, INVALID_TOKEN, "the token is not valid yet"),
    bearer("issued_in_future", 401, INVALID_TOKEN, "the token was issued in the future"),
    bearer("wrong_issuer", 401, INVALID_TOKEN, "the token is from another issuer"),
    bearer("wrong_audience", 401, INVALID_TOKEN, "the token is meant for another audience"),
    bearer("missing_claim", 401, INVALID_TOKEN, "the token lacks a required claim"),
    bearer(
        "certificate_required",
        401,
        INVALID_TOKEN,
        "the token is bound to a certificate, and the client presented none",
    ),
    bearer("certificate_mismatch", 401, INVALID_TOKEN, "the token is bound to another certificate"),
    dpop("dpop_proof_required", 401, INVALID_TOKEN, "the token is bound to a key and needs a proof of it"),
    dpop("dpop_several_proofs", 401, INVALID_PROOF, "the request has more than one DPoP proof"),
    dpop("dpop_missing_proof", 401, INVALID_PROOF, "the request lacks a DPoP proof"),
    dpop("dpop_too_large", 401, INVALID_PROOF, "the DPoP proof is too large"),
    dpop("dpop_malformed_proof", 401, INVALID_PROOF, "the DPoP proof is malformed"),
    dpop(
        "dpop_unsupported_critical_header",
        401,
        INVALID_PROOF,
        "the DPoP proof needs a header extension that is not supported",
    ),
    dpop("dpop_wrong_type", 401, INVALID_PROOF, "the DPoP proof is of another type"),
    dpop("dpop_algorithm_not_allowed", 401, INVALID_PROOF, "the DPoP proof's algorithm is not allowed"),
    dpop("dpop_private_key", 401, INVALID_PROOF, "the DPoP proof contains a private key"),
    dpop("dpop_invalid_key", 401, INVALID_PROOF, "the DPoP proof's key is missing or not acceptable"),
    dpop("dpop_invalid_signature", 401, INVALID_PROOF, "the DPoP proof's signature is invalid"),
    dpop("dpop_malformed_claims", 401, INVALID_PROOF, "the DPoP proof's claims are malformed"),
    dpop("dpop_missing_claim", 401, INVALID_PROOF, "the DPoP proof lacks a required claim"),
    dpop("dpop_wrong_method", 401, INVALID_PROOF, "the DPoP proof is for another method"),
    dpop("dpop_wrong_uri", 401, INVALID_PROOF, "the DPoP proof is for another URI"),
    dpop("dpop_nonce_required", 401, USE_NONCE, "the DPoP proof must carry a nonce"),
    dpop("dpop_wrong_nonce", 401, USE_NONCE, "the DPoP proof must carry a newer nonce"),
    dpop("dpop_expired", 401, INVALID_PROOF, "the DPoP proof is too old"),
    dpop("dpop_issued_in_future", 401, INVALID_PROOF, "the DPoP proof was made in the future"),
    dpop("dpop_wrong_access_token", 401, INVALID_PROOF, "the DPoP proof is for another access token"),
    dpop("dpop_key_mismatch", 401, INVALID_TOKEN, "the token is bound to another key"),
    dpop("dpop_unbound_token", 401, INVALID_TOKEN, "the token is not bound to a key"),
    dpop("dpop_replayed", 401, INVALID_PROOF, "the DPoP proof was used before"),
    dpop("dpop_too_many_proofs", 429, None, "too many DPoP proofs were used by one key"),
    dpop("dpop_replay_unavailable", 503, None, "it is unknown whether the DPoP proof was used before"),
    dpop(
        "dpop_bound_token_required",
        401,
        INVALID_TOKEN,
        "this needs a token that is bound to a key, and a proof of it",
    ),
    bearer("missing_token", 401, INVALID_TOKEN, "the request carries no access token"),
    bearer(
        "malformed_request",
        400,
        INVALID_REQUEST,
        "the request's credentials, or what a proxy says of it, are repeated or malformed",
    ),
    bearer(
        "token_in_query",
        400,
        INVALID_REQUEST,
        "an access token in the URI is not accepted: send it in the Authorization header",
    ),
    bearer(
        "token_in_body",
        400,
        INVALID_REQUEST,
        "an access token in the body is not accepted: send it in the Authorization header",
    ),
    bearer("ambiguous_path", 400, None, "the path of the request can be read in more than one way"),
    bearer("no_route", 403, None, "nothing is published under this method and path"),
    bearer("insufficient_scope", 403, INSUFFICIENT_SCOPE, "the token's scopes do not allow this"),
    bearer(
        "insufficient_user_authentication",
        401,
        Some("insufficient_user_authentication"),
        "the user must authenticate again, or in another way",
    ),
    bearer("delegation_malformed", 401, INVALID_TOKEN, "the token's record of delegation is malformed"),
    bearer("delegation_hash_mismatch", 401, INVALID_TOKEN, "the token's record of delegation is not what was hashed"),
    bearer(
        "delegation_invalid_signature",
        401,
        INVALID_TOKEN,
        "the token's record of delegation is not what was signed",
    ),
    bearer("delegation_too_deep", 403, INSUFFICIENT_SCOPE, "the chain of delegation is too long"),
    bearer("delegation_cycle", 403, INSUFFICIENT_SCOPE, "the chain of delegation goes in a circle"),
    bearer("delegation_no_human_root", 403, INSUFFICIENT_SCOPE, "the token is not used on behalf of a human being"),
    bearer(
        "delegation_actor_not_allowed",
        403,
        INSUFFICIENT_SCOPE,
        "the token is used by an actor that is not allowed",
    ),
    bearer("delegation_scope_widened", 403, INSUFFICIENT_SCOPE, "the token's scope is wider than what was delegated"),
    bearer("untrusted_identity", 403, None, "the identity headers of the request are not those of the gate"),
    INTERNAL_ERROR,
];
