//! Why a request is rejected, before it is known how the answer is written.

use watchword_kernel::{Rejection, VerifiedJws, VerifiedToken};

use crate::code::answer_of;

/// Why a request is rejected: the code, and what the challenge needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The stable name of the error.
    pub code: &'static str,
    /// One sentence for a person who operates the service. It never contains a token.
    pub detail: String,
    /// The scopes that are required, separated by spaces.
    pub scope: Option<String>,
    /// The accepted authentication contexts, separated by spaces.
    pub acr_values: Option<String>,
    /// The maximum age of the user's authentication, in seconds.
    pub max_age: Option<u64>,
    /// What was signed, if the signature of the token is valid.
    pub signed: Option<Box<VerifiedJws>>,
}

impl Failure {
    /// A failure with the sentence that clients get, too.
    pub fn new(code: &'static str) -> Self {
        Self::with_detail(code, answer_of(code).description.to_owned())
    }

    /// A failure with a sentence of its own.
    pub fn with_detail(code: &'static str, detail: String) -> Self {
        Self { code, detail, scope: None, acr_values: None, max_age: None, signed: None }
    }

    /// The failure of a token whose signature is valid.
    pub(crate) fn of_verified(self, token: &VerifiedToken) -> Self {
        Self { signed: Some(Box::new(token.jws().clone())), ..self }
    }

    /// Whether the client needs a nonce for its next proof (RFC 9449 section 9).
    pub fn wants_nonce(&self) -> bool {
        answer_of(self.code).error == Some("use_dpop_nonce")
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let (code, detail) = (rejection.code(), rejection.to_string());
        let signed = rejection.into_parts().1.map(Box::new);
        Self { signed, ..Self::with_detail(code, detail) }
    }
}
