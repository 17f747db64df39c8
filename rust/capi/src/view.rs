//! What a C program reads of a decision.

use watchword_embedded::IdentityFields;
use watchword_gate::{Decision, Outcome, TraceId, answer_of};

use crate::boundary::as_chars;
use crate::request::Header;

/// The request may pass, with the headers of the decision in place of those to be removed.
pub const WATCHWORD_ALLOWED: i32 = 1;
/// The request must not pass: answer it with the status, the headers and the body of the decision.
pub const WATCHWORD_REJECTED: i32 = 2;
/// The request may pass if its DPoP proof was not used before: ask the replay store, and call watchword_confirm.
pub const WATCHWORD_UNCONFIRMED: i32 = 3;
/// The caller made a mistake: a handle is NULL, a pointer is NULL although its length is not 0, the size of a structure is
/// not that of this version, or there is nothing to confirm. The request must not pass.
pub const WATCHWORD_INVALID: i32 = -1;

/// The stable name of the error, or "allowed".
pub const WATCHWORD_TEXT_CODE: u32 = 1;
/// Why the request is rejected, in one sentence for the operator: for a log, not for the client. It never has a token.
pub const WATCHWORD_TEXT_DETAIL: u32 = 2;
/// The body of the answer to a request that is rejected: a problem document (RFC 9457).
pub const WATCHWORD_TEXT_BODY: u32 = 3;
/// The id of an unconfirmed proof: 64 hexadecimal digits.
pub const WATCHWORD_TEXT_REPLAY_ID: u32 = 4;
/// The name of the route.
pub const WATCHWORD_TEXT_ROUTE: u32 = 5;
/// The issuer of the token.
pub const WATCHWORD_TEXT_ISSUER: u32 = 6;

/// The headers of a decision.
enum Headers {
    Identity(IdentityFields),
    Answer(Vec<(&'static str, String)>),
}

/// What can be read of a decision, by pointers that stay valid until it is replaced.
pub(crate) struct View {
    /// `None`: the request could not be checked.
    decision: Option<Decision>,
    result: i32,
    status: u16,
    /// What `fields` points to.
    _headers: Headers,
    fields: Vec<Header>,
    body: String,
    removed: Vec<usize>,
}

impl View {
    /// The decision on a request with these headers, and this trace id if it has none of its own.
    pub(crate) fn of(decision: Decision, headers: &[(&[u8], &[u8])], trace_id: TraceId) -> Self {
        let removed = match decision.has_removed_headers() {
            true => (0..).zip(headers).filter(|(_, (name, _))| decision.is_removed(name)).map(|(at, _)| at).collect(),
            false => Vec::new(),
        };
        Self::with_removed(decision, removed, trace_id)
    }

    /// Another decision on the same request.
    pub(crate) fn replaced_by(&mut self, decision: Decision, trace_id: TraceId) {
        *self = Self::with_removed(decision, std::mem::take(&mut self.removed), trace_id);
    }

    fn with_removed(decision: Decision, removed: Vec<usize>, trace_id: TraceId) -> Self {
        let (headers, body) = match decision.answer(trace_id) {
            Some(answer) => (Headers::Answer(answer.headers), answer.body),
            None => (Headers::Identity(IdentityFields::of(&decision, trace_id)), String::new()),
        };
        Self {
            result: if decision.is_allowed() { WATCHWORD_ALLOWED } else { WATCHWORD_REJECTED },
            status: decision.status(),
            fields: headers.fields(),
            _headers: headers,
            body,
            removed,
            decision: Some(decision),
        }
    }

    /// What is read if there is no decision: `internal_error`.
    pub(crate) fn failed() -> Self {
        let answer = answer_of(FAILED);
        let headers = Headers::Answer(vec![
            ("Content-Type", "application/problem+json".to_owned()),
            ("Cache-Control", "no-store".to_owned()),
        ]);
        Self {
            decision: None,
            result: WATCHWORD_REJECTED,
            status: answer.status,
            fields: headers.fields(),
            _headers: headers,
            body: format!(
                "{{\"title\":\"Internal Server Error\",\"status\":{},\"detail\":\"{}\",\"code\":\"{FAILED}\"}}",
                answer.status, answer.description
            ),
            removed: Vec::new(),
        }
    }

    pub(crate) fn result(&self) -> i32 {
        self.result
    }

    pub(crate) fn status(&self) -> u32 {
        self.status.into()
    }

    pub(crate) fn fields(&self) -> &[Header] {
        &self.fields
    }

    pub(crate) fn removed(&self) -> &[usize] {
        &self.removed
    }

    /// One of the texts, by its number; empty if there is none.
    pub(crate) fn text(&self, which: u32) -> &str {
        let decision = self.decision.as_ref();
        match which {
            WATCHWORD_TEXT_CODE => decision.map_or(FAILED, Decision::code),
            WATCHWORD_TEXT_DETAIL => match decision.map(Decision::outcome) {
                Some(Outcome::Rejected(rejected)) => &rejected.failure.detail,
                Some(Outcome::Allowed(_)) => "",
                None => answer_of(FAILED).description,
            },
            WATCHWORD_TEXT_BODY => &self.body,
            WATCHWORD_TEXT_ROUTE => decision.and_then(Decision::route).unwrap_or_default(),
            WATCHWORD_TEXT_ISSUER => decision.and_then(Decision::issuer).unwrap_or_default(),
            _ => "",
        }
    }
}

const FAILED: &str = "internal_error";

impl Headers {
    /// Pointers to the texts: valid as long as the headers exist.
    fn fields(&self) -> Vec<Header> {
        let field = |(name, value): (&str, &str)| Header {
            name: as_chars(name),
            name_length: name.len(),
            value: as_chars(value),
            value_length: value.len(),
        };
        match self {
            Self::Identity(headers) => headers.iter().map(field).collect(),
            Self::Answer(headers) => headers.iter().map(|(name, value)| field((name, value))).collect(),
        }
    }
}
