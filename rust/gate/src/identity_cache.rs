//! What is computed from the identity of allowed requests, kept for tokens that are sent again and again.
//!
//! All identity headers but the trace id depend on the token, the route and the rules only. Computing them takes longer than
//! finding the token in its cache.

use std::sync::{Arc, Weak};

use watchword_kernel::VerifiedToken;

use crate::decision::{Allowed, Decision, Outcome};
use crate::rules::Rules;

/// The number of tokens for which something is kept.
const SLOTS: usize = 1024;

/// A cache for one thread: what was computed for the tokens that it saw last.
pub struct IdentityCache<T> {
    slots: Vec<Option<Slot<T>>>,
}

/// What was computed for one token on one route.
struct Slot<T> {
    // Weak references, so that nothing lives longer for it; their addresses are not used again while they exist.
    rules: Weak<Rules>,
    token: Option<Weak<VerifiedToken>>,
    route: Box<str>,
    value: T,
}

impl<T> IdentityCache<T> {
    /// An empty cache.
    pub const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// What `read` returns for the value of a request that is allowed, which `compute` makes unless it is kept. The value must
    /// not depend on the trace id. `None` if the request is rejected, or if `compute` returns it.
    pub fn with<R>(
        &mut self,
        decision: &Decision,
        compute: impl FnOnce() -> Option<T>,
        read: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let Outcome::Allowed(allowed) = decision.outcome() else { return None };
        // The key of a proof is in the headers, too, and whoever proves it pays more for that. A token that was not in its
        // cache is a new one, or there is no cache: nothing is found for it.
        if allowed.proof.is_some() || (allowed.token.is_some() && !allowed.cached) {
            return compute().as_ref().map(read);
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let place = self.slots.get_mut(place(decision, allowed))?;
        match place {
            Some(slot) if slot.is_for(decision, allowed) => Some(read(&slot.value)),
            _ => Some(read(&place.insert(Slot::new(decision, allowed, compute()?)).value)),
        }
    }
}

impl<T> Default for IdentityCache<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slot<T> {
    fn new(decision: &Decision, allowed: &Allowed, value: T) -> Self {
        Self {
            rules: Arc::downgrade(decision.rules()),
            token: allowed.token.as_ref().map(Arc::downgrade),
            route: decision.route().unwrap_or_default().into(),
            value,
        }
    }

    fn is_for(&self, decision: &Decision, allowed: &Allowed) -> bool {
        let is_token = match (&self.token, &allowed.token) {
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
fn place(decision: &Decision, allowed: &Allowed) -> usize {
    let token = allowed.token.as_ref().map_or(0, |token| Arc::as_ptr(token).addr());
    let guard = decision.context.guard.as_ref().map_or(0, |guard| Arc::as_ptr(guard).addr());
    // Tokens are some hundred bytes apart, guards as well.
    let mixed = (token >> 6) ^ (token >> 16) ^ (guard >> 4) ^ (guard >> 12);
    mixed % SLOTS
}
