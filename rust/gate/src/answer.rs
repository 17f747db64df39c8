//! The answer to a request that is rejected: status, headers, body.

use crate::challenge::Challenge;
use crate::code::{CodeAnswer, Scheme, answer_of};
use crate::failure::Failure;
use crate::problem;

/// After how many seconds a client may try again if the failure is not its own.
const RETRY_AFTER: &str = "5";

/// How rejections are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerSettings {
    /// The `realm` of challenges.
    pub realm: Option<String>,
    /// The URL of the protected resource's metadata (RFC 9728).
    pub resource_metadata: Option<String>,
    /// The algorithms of proofs, separated by spaces.
    pub algorithms: String,
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body: a problem document.
    pub body: String,
}

/// What an answer depends on, besides the failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerContext<'a> {
    pub(crate) settings: &'a AnswerSettings,
    /// The scheme by which the request was sent.
    pub(crate) scheme: Option<Scheme>,
    /// Whether the route accepts bound tokens only.
    pub(crate) dpop_only: bool,
    /// The nonce for the client's next proof.
    pub(crate) nonce: Option<&'a str>,
    pub(crate) trace_id: &'a str,
}

impl Answer {
    pub(crate) fn to(failure: &Failure, context: AnswerContext<'_>) -> Self {
        let answer = answer_of(failure.code);
        let mut headers = vec![
            ("Content-Type", problem::PROBLEM_JSON.to_owned()),
            // A rejection depends on the credentials, and on the time.
            ("Cache-Control", "no-store".to_owned()),
        ];
        if let Some(challenge) = challenge(answer, failure, context) {
            headers.push(("WWW-Authenticate", challenge));
        }
        if let Some(nonce) = context.nonce.filter(|_| failure.wants_nonce()) {
            headers.push(("DPoP-Nonce", nonce.to_owned()));
        }
        if matches!(answer.status, 429 | 503) {
            headers.push(("Retry-After", RETRY_AFTER.to_owned()));
        }
        Self { status: answer.status, headers, body: problem::document(answer, context.trace_id) }
    }
}

fn challenge(answer: &CodeAnswer, failure: &Failure, context: AnswerContext<'_>) -> Option<String> {
    let error = answer.error?;
    let challenge = Challenge {
        realm: context.settings.realm.as_deref(),
        error: Some(error),
        description: Some(answer.description),
        scope: failure.scope.as_deref(),
        algorithms: Some(context.settings.algorithms.as_str()),
        acr_values: failure.acr_values.as_deref(),
        max_age: failure.max_age,
        resource_metadata: context.settings.resource_metadata.as_deref(),
    };
    if failure.code == "missing_token" {
        return Some(challenge.without_credentials(context.dpop_only));
    }
    let is_dpop = answer.scheme == Scheme::Dpop || context.scheme == Some(Scheme::Dpop);
    Some(challenge.to_text(if is_dpop { Scheme::Dpop } else { Scheme::Bearer }))
}
