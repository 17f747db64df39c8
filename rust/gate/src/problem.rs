//! The body of a rejection: a problem document (RFC 9457).

use std::fmt::Write as _;

use crate::code::CodeAnswer;

/// The media type of a problem document.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The document. It says what the challenge says, and quotes nothing of the request.
pub(crate) fn document(answer: &CodeAnswer, trace_id: &str) -> String {
    let mut json = String::with_capacity(192);
    // Writing to a String cannot fail. The texts are ours, and have no quotes and backslashes; a test checks that.
    let _ = write!(
        json,
        "{{\"title\":\"{}\",\"status\":{},\"detail\":\"{}\",\"code\":\"{}\",\"trace_id\":\"{trace_id}\"}}",
        title(answer.status),
        answer.status,
        answer.description,
        answer.code
    );
    json
}

/// The reason phrase of a status: the title of a problem without a type of its own (RFC 9457 section 4.2.1).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
