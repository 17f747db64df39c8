//! The gate: opened from files, asked about requests, closed.

use std::ffi::c_char;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use watchword_embedded::{Checked, ConfigSource, EmbeddedGate, Options, ReplayStore};
use watchword_gate::Failure;

use crate::boundary::{copy_text, no_unwinding, path};
use crate::decision::{Decision, Unconfirmed};
use crate::events::Events;
use crate::request::{Borrowed, Request};
use crate::view::{View, WATCHWORD_INVALID};

/// Used proofs are kept in the memory of this gate, which no other process sees, unless the configuration keeps none.
pub const WATCHWORD_REPLAY_MEMORY: u32 = 0;
/// Used proofs are kept in a store of the caller: a request with a proof is WATCHWORD_UNCONFIRMED, unless the configuration
/// keeps none.
pub const WATCHWORD_REPLAY_EXTERNAL: u32 = 1;

/// A gate: rules, keys, and a thread that reads their files again when they change.
pub struct Gate {
    inner: EmbeddedGate,
    events: Arc<Events>,
    /// The process that has the thread.
    process: u32,
}

impl Gate {
    fn check(&self, request: &Borrowed<'_>) -> (View, Option<Unconfirmed>) {
        // A gate without its thread would work for some seconds, and then stop.
        if self.process != std::process::id() {
            return (View::failed(), None);
        }
        let trace_id = self.inner.trace_id();
        match self.inner.check(&request.for_gate()) {
            Checked::Decided(decision) => (View::of(decision, &request.headers, trace_id), None),
            Checked::UnusedProof(proof) => {
                // What is read of it until it is confirmed.
                let rejected = proof.clone().reject(Failure::new("dpop_replay_unavailable"));
                let replay_id = proof.proof().replay_id().iter().map(|byte| format!("{byte:02x}")).collect();
                let view = View::of(rejected, &request.headers, trace_id);
                (view, Some(Unconfirmed { proof, trace_id, replay_id }))
            }
        }
    }
}

/// Opens a gate.
///
/// `config_file` is the path of its configuration, TOML, or JSON if the name ends in .json; `keys_file` that of the file
/// with keys that "watchword keys sync" writes, or NULL; both are NUL-terminated. `replay` is WATCHWORD_REPLAY_MEMORY or
/// WATCHWORD_REPLAY_EXTERNAL. A thread reads the files again when they change: those that are invalid are rejected, and the
/// old ones stay in use.
///
/// Returns the gate, which watchword_gate_close frees, or NULL, with the reason in `error`: a NUL-terminated text, cut to
/// `error_capacity` bytes. `error` may be NULL.
///
/// A process that forks, as nginx does, opens the gate in the child: the thread does not survive a fork, and a gate of
/// another process rejects every request.
///
/// # Safety
/// Unless they are NULL, `config_file` and `keys_file` are NUL-terminated, and `error` points to `error_capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_gate_open(
    config_file: *const c_char,
    keys_file: *const c_char,
    replay: u32,
    error: *mut c_char,
    error_capacity: usize,
) -> *mut Gate {
    // SAFETY: the caller's promise.
    let config = unsafe { path(config_file) };
    // SAFETY: the caller's promise.
    let keys = unsafe { path(keys_file) };
    let opened = no_unwinding(Err("the gate could not be opened: internal error".to_owned()), || {
        let config = config.ok_or("config_file is NULL: it must be the path of the gate's configuration")?;
        let replay = match replay {
            WATCHWORD_REPLAY_MEMORY => ReplayStore::Memory,
            WATCHWORD_REPLAY_EXTERNAL => ReplayStore::External,
            _ => {
                return Err(format!(
                    "replay is {replay}: it must be WATCHWORD_REPLAY_MEMORY or WATCHWORD_REPLAY_EXTERNAL"
                ));
            }
        };
        let options = Options { keys_file: keys.map(Path::to_path_buf), replay, ..Options::default() };
        let events = Arc::new(Events::default());
        let listener = Arc::clone(&events);
        let source = ConfigSource::File(config.to_path_buf());
        let inner = EmbeddedGate::open(source, options, Box::new(move |event| listener.push(event)))
            .map_err(|error| error.to_string())?;
        Ok(Box::into_raw(Box::new(Gate { inner, events, process: std::process::id() })))
    });
    opened.unwrap_or_else(|reason| {
        // SAFETY: the caller's promise.
        unsafe { copy_text(&reason, error, error_capacity) };
        ptr::null_mut()
    })
}

/// Closes a gate and frees it. Its decisions stay usable. NULL: does nothing.
///
/// # Safety
/// Unless it is NULL, `gate` comes from watchword_gate_open, is not closed yet, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_gate_close(gate: *mut Gate) {
    if !gate.is_null() {
        // SAFETY: made by Box::into_raw, and nobody uses it any more.
        let gate = unsafe { Box::from_raw(gate) };
        no_unwinding((), || drop(gate));
    }
}

/// Returns 1 if requests may have proofs whose use has to be recorded, so that a server of several processes needs
/// WATCHWORD_REPLAY_EXTERNAL; otherwise 0: the configuration keeps no used proofs, or no route verifies tokens. Another
/// configuration may change that. NULL: 1.
///
/// # Safety
/// Unless it is NULL, `gate` comes from watchword_gate_open and is not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_gate_records_proofs(gate: *const Gate) -> i32 {
    // SAFETY: the caller's promise.
    let gate = unsafe { gate.as_ref() };
    no_unwinding(true, || gate.is_none_or(|gate| gate.inner.records_proofs())).into()
}

/// Takes the oldest message for the operator that was not taken yet: files that changed are in use, or invalid, or the keys
/// of an issuer have become unavailable. It is copied into `buffer`, NUL-terminated and cut to `capacity` bytes, and
/// `is_error` is set to 1 if something has to be repaired, otherwise to 0.
///
/// Returns the length of the whole message, 0 if there is none. The last 64 are kept. `buffer` and `is_error` may be NULL.
///
/// # Safety
/// Unless they are NULL, `gate` comes from watchword_gate_open and is not closed yet, `buffer` points to `capacity` bytes,
/// and `is_error` to a number that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_gate_next_event(
    gate: *const Gate,
    is_error: *mut i32,
    buffer: *mut c_char,
    capacity: usize,
) -> usize {
    // SAFETY: the caller's promise.
    let gate = unsafe { gate.as_ref() };
    let message = no_unwinding(None, || gate.and_then(|gate| gate.events.take())).unwrap_or_default();
    // SAFETY: the caller's promise.
    if let Some(is_error) = unsafe { is_error.as_mut() } {
        *is_error = message.is_error.into();
    }
    // SAFETY: the caller's promise.
    unsafe { copy_text(&message.text, buffer, capacity) };
    message.text.len()
}

/// Checks a request, and fills the decision.
///
/// Returns WATCHWORD_ALLOWED, WATCHWORD_REJECTED or WATCHWORD_UNCONFIRMED, or WATCHWORD_INVALID if the caller made a mistake;
/// the decision, unless it is NULL, is then internal_error. Only WATCHWORD_ALLOWED lets the request pass: before that, remove
/// the headers that watchword_decision_removed names, and set those of watchword_decision_headers. What was read of the
/// decision before becomes invalid.
///
/// # Safety
/// Unless they are NULL, `gate` comes from watchword_gate_open and is not closed yet, `request` points to a request whose
/// pointers have as many bytes or headers as the lengths beside them say, and `decision` comes from watchword_decision_new,
/// is not freed yet, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn watchword_check(gate: *const Gate, request: *const Request, decision: *mut Decision) -> i32 {
    // SAFETY: the caller's promise.
    let Some(decision) = (unsafe { decision.as_mut() }) else { return WATCHWORD_INVALID };
    // SAFETY: the caller's promise.
    let gate = unsafe { gate.as_ref() };
    // SAFETY: the caller's promise.
    let request = no_unwinding(None, || unsafe { Borrowed::read(request) });
    let (Some(gate), Some(request)) = (gate, request) else {
        decision.fill(View::failed(), None);
        return WATCHWORD_INVALID;
    };
    let (view, unconfirmed) =
        no_unwinding(None, || Some(gate.check(&request))).unwrap_or_else(|| (View::failed(), None));
    decision.fill(view, unconfirmed)
}
