//! The headers of the answer to an allowed request.

use std::cell::RefCell;

use hyper::HeaderMap;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use watchword_gate::{Decision, IdentityCache, TRACE_ID_NAME, TraceId};

/// The headers for one token on one route, with the trace id of the first request.
struct Headers {
    all: HeaderMap,
    trace_id: HeaderName,
}

/// All headers of the answer to an allowed request; `None` if one of them is invalid in HTTP, which none can be.
pub(crate) fn headers(decision: &Decision, trace_id: TraceId) -> Option<HeaderMap> {
    thread_local! {
        static CACHE: RefCell<IdentityCache<Headers>> = const { RefCell::new(IdentityCache::new()) };
    }
    let own = HeaderValue::try_from(decision.trace_id().unwrap_or(trace_id).to_string()).ok()?;
    CACHE.with_borrow_mut(|cache| {
        cache.with(
            decision,
            || Headers::of(decision, trace_id),
            |headers| {
                let mut all = headers.all.clone();
                all.insert(&headers.trace_id, own);
                all
            },
        )
    })
}

impl Headers {
    fn of(decision: &Decision, trace_id: TraceId) -> Option<Self> {
        let mut all = HeaderMap::with_capacity(16);
        all.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (own, value) in decision.identity_headers(trace_id) {
            all.insert(name(&own)?, HeaderValue::try_from(value).ok()?);
        }
        Some(Self { all, trace_id: name(&[&decision.rules().identity_prefix, TRACE_ID_NAME].concat())? })
    }
}

fn name(text: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(text.as_bytes()).ok()
}
