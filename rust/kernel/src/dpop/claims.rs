//! The claims of a proof.

use super::error::ProofError;
use super::policy::ProofPolicy;
use crate::json::Object;
use crate::jws::member::{date, must_be, text};
use crate::time::NumericDate;

/// The claims of a proof (RFC 9449 section 4.2).
pub(super) struct Claims {
    pub(super) token_id: String,
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) issued_at: NumericDate,
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    pub(super) nonce: Option<String>,
    pub(super) access_token_hash: Option<String>,
}

impl Claims {
    pub(super) fn read(payload: &[u8]) -> Result<Self, ProofError> {
        let members = Object::parse(payload).map_err(|error| ProofError::MalformedClaims(error.into()))?;
        let required = |name| text(&members, name)?.ok_or(ProofError::MissingClaim(name));
        let token_id = required("jti")?;
        if token_id.is_empty() {
            return Err(must_be("jti", "a non-empty string").into());
        }
        Ok(Self {
            token_id,
            method: required("htm")?,
            uri: required("htu")?,
            issued_at: date(&members, "iat")?.ok_or(ProofError::MissingClaim("iat"))?,
            // RFC 9449 does not mention them, but RFC 7519 defines them for every JWT.
            expires_at: date(&members, "exp")?,
            not_before: date(&members, "nbf")?,
            nonce: text(&members, "nonce")?,
            access_token_hash: text(&members, "ath")?,
        })
    }

    /// Checks that the proof is not too old, and at most the leeway ahead of this clock (check 11).
    pub(super) fn check_times(&self, policy: &ProofPolicy, now: f64) -> Result<(), ProofError> {
        let age = now - self.issued_at.seconds();
        if age > policy.max_age {
            return Err(ProofError::Expired { by: age - policy.max_age });
        }
        if let Some(late) = self.expires_at.map(|exp| now - exp.seconds()).filter(|late| *late >= policy.leeway) {
            return Err(ProofError::Expired { by: late });
        }
        let start = self.not_before.map_or(self.issued_at.seconds(), |nbf| nbf.seconds().max(self.issued_at.seconds()));
        if start - now > policy.leeway {
            return Err(ProofError::IssuedInFuture { by: start - now });
        }
        Ok(())
    }
}
