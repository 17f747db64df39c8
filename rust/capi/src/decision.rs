//! The decision on a request: its handle, and what is read of it.

use std::ffi::c_char;
use std::ptr;

use watchword_gate::{Failure, TraceId, UnusedProof};

use crate::boundary::{as_chars, no_unwinding};
use crate::request::Header;
use crate::view::{View, WATCHWORD_INVALID, WATCHWORD_TEXT_REPLAY_ID, WATCHWORD_UNCONFIRMED};

/// The proof was not used before, and the replay store has recorded it.
pub const WATCHWORD_FIRST_USE: u32 = 1;
/// The proof was used before.
pub const WATCHWORD_REPLAYED: u32 = 2;
/// The replay store could not be asked, or has no room.
pub const WATCHWORD_UNAVAILABLE: u32 = 3;
/// The key of the proof has used up its share of the replay store.
pub const WATCHWORD_TOO_MANY: u32 = 4;

/// The decision on a request. It is made once, and filled again by every check.
pub struct Decision {
    view: View,
    unconfirmed: Option<Unconfirmed>,
}

/// A request that may pass if its proof was not used before.
pub(crate) struct Unconfirmed {
    pub(crate) proof: UnusedProof,
    pub(crate) trace_id: TraceId,
    pub(crate) replay_id: String,
}

impl Decision {
    pub(crate) fn fill(&mut self, view: View, unconfirmed: Option<Unconfirmed>) -> i32 {
        (self.view, self.unconfirmed) = (view, unconfirmed);
        match self.unconfirmed {
            Some(_) => WATCHWORD_UNCONFIRMED,
            None => self.view.result(),
        }
    }

    fn confirm(&mut self, usage: u32) -> i32 {
        let code = match usage {
            WATCHWORD_FIRST_USE => None,
            WATCHWORD_REPLAYED => Some("dpop_replayed"),
            WATCHWORD_UNAVAILABLE => Some("dpop_replay_unavailable"),
            WATCHWORD_TOO_MANY => Some("dpop_too_many_proofs"),
            _ => return WATCHWORD_INVALID,
        };
        let Some(Unconfirmed { proof, trace_id, .. }) = self.unconfirmed.take() else { return WATCHWORD_INVALID };
        let decision = match code {
            None => proof.first_use(),
            Some(code) => proof.reject(Failure::new(code)),
        };
        self.view.replaced_by(decision, trace_id);
        self.view.result()
    }
}

/// Returns a decision that can be used for any number of requests, one after the other, and that watchword_decision_free
/// frees. Until it is filled, it is internal_error. NULL if it could not be made.
#[unsafe(no_mangle)]
pub extern "C" fn watchword_decision_new() -> *mut Decision {
    no_unwinding(ptr::null_mut(), || Box::into_raw(Box::new(Decision { view: View::failed(), unconfirmed: None })))
}

/// Frees a decision, and everything that was read of it. NULL: does nothing.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_free(decision: *mut Decision) {
    if !decision.is_null() {
        // SAFETY: made by Box::into_raw, and nobody uses it any more.
        let decision = unsafe { Box::from_raw(decision) };
        no_unwinding((), || drop(decision));
    }
}

/// Tells a decision that is WATCHWORD_UNCONFIRMED what the replay store says of its proof: WATCHWORD_FIRST_USE and so on.
///
/// Returns WATCHWORD_ALLOWED or WATCHWORD_REJECTED, and WATCHWORD_INVALID, without changing the decision, if it is not
/// unconfirmed, or if `usage` is none of these. What was read of the decision before becomes invalid, but for the headers to
/// be removed.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_confirm(decision: *mut Decision, usage: u32) -> i32 {
    // SAFETY: the caller's promise.
    let Some(decision) = (unsafe { decision.as_mut() }) else { return WATCHWORD_INVALID };
    let result = no_unwinding(None, || Some(decision.confirm(usage)));
    result.unwrap_or_else(|| decision.fill(View::failed(), None))
}

/// Returns the status of the answer, 200 if the request is allowed. NULL, and a decision that is not filled: 500.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_status(decision: *const Decision) -> u32 {
    // SAFETY: the caller's promise.
    let decision = unsafe { decision.as_ref() };
    decision.map_or(500, |decision| decision.view.status())
}

/// Returns the headers of a decision, and their number: if the request is allowed, the identity headers, all of which have
/// to be set in the request, also those without a value; otherwise those of the answer. The decision owns them: they stay
/// valid until it is filled, confirmed or freed. NULL: none.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
/// Unless it is NULL, `count` points to a number that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_headers(decision: *const Decision, count: *mut usize) -> *const Header {
    // SAFETY: the caller's promise.
    let decision = unsafe { decision.as_ref() };
    // SAFETY: the caller's promise.
    unsafe { array(decision.map_or(&[], |decision| decision.view.fields()), count) }
}

/// Returns which headers of the request must not reach the application, and their number: their positions in the array that
/// watchword_check was given. They concern a request that is allowed or unconfirmed. The decision owns the positions: they
/// stay valid until it is filled or freed. NULL: none.
///
/// # Safety
/// As for watchword_decision_headers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_removed(decision: *const Decision, count: *mut usize) -> *const usize {
    // SAFETY: the caller's promise.
    let decision = unsafe { decision.as_ref() };
    // SAFETY: the caller's promise.
    unsafe { array(decision.map_or(&[], |decision| decision.view.removed()), count) }
}

/// Returns a text of a decision, WATCHWORD_TEXT_CODE and so on, and its length in bytes. It is not NUL-terminated. The
/// decision owns it: it stays valid until the decision is filled, confirmed or freed. Empty if there is none.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
/// Unless it is NULL, `length` points to a number that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_text(
    decision: *const Decision,
    which: u32,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise.
    let decision = unsafe { decision.as_ref() };
    let text = match decision {
        None => "",
        Some(Decision { unconfirmed, .. }) if which == WATCHWORD_TEXT_REPLAY_ID => {
            unconfirmed.as_ref().map_or("", |unconfirmed| &unconfirmed.replay_id)
        }
        Some(decision) => decision.view.text(which),
    };
    // SAFETY: the caller's promise.
    if let Some(length) = unsafe { length.as_mut() } {
        *length = text.len();
    }
    as_chars(text)
}

/// Returns when a replay store may forget the unconfirmed proof, in Unix seconds; 0 if there is none.
///
/// # Safety
/// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_decision_replay_expires(decision: *const Decision) -> f64 {
    // SAFETY: the caller's promise.
    let decision = unsafe { decision.as_ref() };
    let unconfirmed = decision.and_then(|decision| decision.unconfirmed.as_ref());
    unconfirmed.map_or(0.0, |unconfirmed| unconfirmed.proof.proof().expires_at())
}

/// # Safety
/// Unless it is NULL, `count` points to a number that may be written.
unsafe fn array<T>(values: &[T], count: *mut usize) -> *const T {
    // SAFETY: the caller's promise.
    if let Some(count) = unsafe { count.as_mut() } {
        *count = values.len();
    }
    values.as_ptr()
}
