//! From a decision to the answer that a proxy understands.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use watchword_gate::{Answer, Decision, TraceId};

use crate::family::Family;
use crate::identity;

/// The problem document in one line, for nginx, which discards the body of an answer.
const PROBLEM: HeaderName = HeaderName::from_static("x-watchword-problem");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The answer to a proxy. `trace_id` is used if the request has none.
pub(crate) fn of_decision(decision: &Decision, family: Family, trace_id: TraceId) -> Response<Full<Bytes>> {
    let answered = match decision.answer(trace_id) {
        None => allowed(decision, trace_id),
        Some(answer) => rejected(answer, family),
    };
    // Nothing that is part of an answer can be invalid in HTTP. If it were, the request would not pass.
    answered.unwrap_or_else(|| of_status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn allowed(decision: &Decision, trace_id: TraceId) -> Option<Response<Full<Bytes>>> {
    let headers = identity::headers(decision, trace_id)?;
    let mut response = Response::new(Full::default());
    *response.headers_mut() = headers;
    Some(response)
}

fn rejected(answer: Answer, family: Family) -> Option<Response<Full<Bytes>>> {
    let status = StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_success())?;
    let problem = (family == Family::Nginx).then(|| HeaderValue::try_from(answer.body.as_str()).ok()).flatten();
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::try_from(value).ok()?);
    }
    if let Some(problem) = problem {
        headers.insert(PROBLEM, problem);
    }
    Some(response)
}

/// An answer with nothing but a status.
pub(crate) fn of_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// A document that anybody may read.
pub(crate) fn of_document(content_type: HeaderValue, document: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(document));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
