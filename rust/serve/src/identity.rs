//! The headers of allowed requests, kept for tokens that are sent again and again.
//!
//! All but the trace id depend on the token, the route and the rules only. Computing them takes longer than finding the
//! token in its cache, so each thread keeps the headers of the tokens that it saw last.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use hyper::HeaderMap;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use watchword_gate::{Decision, Outcome, Rules, TraceId};
use watchword_kernel::VerifiedToken;

/// The number of tokens whose headers a thread keeps.
const SLOTS: usize = 1024;

/// The name of the header with the trace id, without the prefix.
const TRACE_ID: &str = "Trace-Id";

/// The headers for one token on one route.
struct Kept {
    // Weak references, so that nothing lives longer for it; their addresses are not used again while they exist.
    rules: Weak<Rules>,
    token: Option<Weak<VerifiedToken>>,
    route: Box<str>,
    headers: HeaderMap,
    trace_id: HeaderName,
}

/// All headers of the answer to an allowed request; `None` if one of them is invalid in HTTP, which none can be.
pub(crate) fn headers(decision: &Decision, trace_id: TraceId) -> Option<HeaderMap> {
    let Outcome::Allowed(allowed) = decision.outcome() else { return None };
    if allowed.proof.is_some() {
        // The key of a proof is in the headers, too, and whoever proves it pays more for that.
        return computed(decision, trace_id);
    }
    thread_local! {
        static KEPT: RefCell<Vec<Option<Kept>>> = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| {
        kept.resize_with(SLOTS, || None);
        let slot = kept.get_mut(slot(allowed.token.as_ref(), decision.route()))?;
        if let Some(kept) = slot.as_ref().filter(|kept| kept.is_for(decision, allowed.token.as_ref())) {
            let mut headers = kept.headers.clone();
            let trace_id = decision.trace_id().unwrap_or(trace_id).to_string();
            headers.insert(&kept.trace_id, HeaderValue::try_from(trace_id).ok()?);
            return Some(headers);
        }
        let headers = computed(decision, trace_id)?;
        *slot = Some(Kept {
            rules: Arc::downgrade(decision.rules()),
            token: allowed.token.as_ref().map(Arc::downgrade),
            route: decision.route().unwrap_or_default().into(),
            headers: headers.clone(),
            trace_id: name(&format!("{}{TRACE_ID}", decision.rules().identity_prefix))?,
        });
        Some(headers)
    })
}

impl Kept {
    fn is_for(&self, decision: &Decision, token: Option<&Arc<VerifiedToken>>) -> bool {
        let is_token = match (&self.token, token) {
            (None, None) => true,
            (Some(own), Some(token)) => std::ptr::eq(own.as_ptr(), Arc::as_ptr(token)),
            _ => false,
        };
        is_token
            && std::ptr::eq(self.rules.as_ptr(), Arc::as_ptr(decision.rules()))
            && *self.route == *decision.route().unwrap_or_default()
    }
}

/// The slot of a token on a route.
fn slot(token: Option<&Arc<VerifiedToken>>, route: Option<&str>) -> usize {
    let address = token.map_or(0, |token| Arc::as_ptr(token).addr());
    // Tokens are some hundred bytes apart.
    let mixed = (address >> 6) ^ (address >> 16) ^ route.map_or(0, str::len);
    mixed % SLOTS
}

fn computed(decision: &Decision, trace_id: TraceId) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (own, value) in decision.identity_headers(trace_id) {
        headers.insert(name(&own)?, HeaderValue::try_from(value).ok()?);
    }
    Some(headers)
}

fn name(text: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(text.as_bytes()).ok()
}
