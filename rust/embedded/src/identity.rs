//! The identity headers of an allowed request, as a proxy sets them.

use std::cell::RefCell;
use std::sync::Arc;

use watchword_gate::{Decision, IDENTITY_NAMES, IdentityCache, TRACE_ID_NAME, TraceId};

/// Names and values.
type Shared = Arc<[(String, String)]>;

/// The identity headers of one request: all of them, empty if unknown, and last the secret, if one is configured.
pub struct IdentityFields {
    /// With the trace id of the request for which they were computed.
    shared: Shared,
    trace_id: String,
}

impl IdentityFields {
    /// The identity headers of a request that is allowed, with this trace id if it has none of its own; none if it is
    /// rejected.
    pub fn of(decision: &Decision, trace_id: TraceId) -> Self {
        thread_local! {
            static CACHE: RefCell<IdentityCache<Shared>> = const { RefCell::new(IdentityCache::new()) };
        }
        let compute = || Some(decision.identity_headers(trace_id).into());
        let shared = CACHE.with_borrow_mut(|cache| cache.with(decision, compute, Arc::clone));
        let trace_id = decision.trace_id().unwrap_or(trace_id).to_string();
        Self { shared: shared.unwrap_or_default(), trace_id }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let value_of = |at: usize, value| match IDENTITY_NAMES.get(at) {
            Some(&TRACE_ID_NAME) => self.trace_id.as_str(),
            _ => value,
        };
        self.shared.iter().enumerate().map(move |(at, (name, value))| (name.as_str(), value_of(at, value)))
    }
}
