//! Properties of requests that reach the gate by its C ABI: the body of the fuzz target for the boundary, and of the test that
//! replays requests. It knows of the library what `watchword.h` says.
//!
//! An input is a request, as `requests.rs` says, or any bytes. Proofs are confirmed as the last byte says. The function panics
//! if a property is violated; an address sanitizer finds the rest.

#![allow(clippy::expect_used, reason = "a check fails by panicking")]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "each calls one function after the other")]

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

#[path = "requests.rs"]
mod requests;

use requests::{JWK, ORIGIN, Sender};

#[repr(C)]
struct Header {
    name: *const c_char,
    name_length: usize,
    value: *const c_char,
    value_length: usize,
}

#[repr(C)]
struct Request {
    size: usize,
    method: *const c_char,
    method_length: usize,
    target: *const c_char,
    target_length: usize,
    headers: *const Header,
    header_count: usize,
    certificate: *const c_char,
    certificate_length: usize,
}

unsafe extern "C" {
    fn watchword_gate_open(
        config: *const c_char,
        keys: *const c_char,
        replay: u32,
        error: *mut c_char,
        capacity: usize,
    ) -> *mut c_void;
    fn watchword_decision_new() -> *mut c_void;
    fn watchword_decision_free(decision: *mut c_void);
    fn watchword_check(gate: *const c_void, request: *const Request, decision: *mut c_void) -> i32;
    fn watchword_confirm(decision: *mut c_void, usage: u32) -> i32;
    fn watchword_decision_status(decision: *const c_void) -> u32;
    fn watchword_decision_headers(decision: *const c_void, count: *mut usize) -> *const Header;
    fn watchword_decision_removed(decision: *const c_void, count: *mut usize) -> *const usize;
    fn watchword_decision_text(decision: *const c_void, which: u32, length: *mut usize) -> *const c_char;
}

const EXTERNAL: u32 = 1;
const FIRST_USE: u32 = 1;
const ALLOWED: i32 = 1;
const REJECTED: i32 = 2;
const UNCONFIRMED: i32 = 3;
const INVALID: i32 = -1;
const TEXTS: std::ops::Range<u32> = 1..7;

static SENDER: LazyLock<Sender> = LazyLock::new(|| Sender::new(now()));

/// The address of a gate that is never closed.
static GATE: LazyLock<usize> = LazyLock::new(|| {
    let config = format!(
        r#"{{"public_url": "{ORIGIN}", "token": {{"audience": "{ORIGIN}"}},
            "issuers": [{{"issuer": "https://as.example", "jwks": {{"keys": [{JWK}]}}}}],
            "routes": [{{"path": "/health", "public": true}}, {{"path": "/home", "optional": true}}, {{"path": "/{{path...}}"}}]}}"#
    );
    let file = std::env::temp_dir().join(format!("watchword-boundary-{}.json", std::process::id()));
    std::fs::write(&file, config).expect("a file");
    let path = CString::new(file.display().to_string()).expect("a path");
    let mut reason = [0; 256];
    // SAFETY: NUL-terminated paths, and a buffer with its length.
    let gate = unsafe { watchword_gate_open(path.as_ptr(), ptr::null(), EXTERNAL, reason.as_mut_ptr(), reason.len()) };
    let reason: Vec<u8> = reason.iter().map(|c| c.cast_unsigned()).collect();
    assert!(!gate.is_null(), "{}", String::from_utf8_lossy(&reason));
    gate.expose_provenance()
});

/// Checks a request, and confirms its proof if that is asked for. Returns the result of the check.
pub(crate) fn boundary(input: &[u8]) -> i32 {
    let (method, target, headers) = SENDER.read(input, now());
    let fields: Vec<Header> = headers
        .iter()
        .map(|(name, value)| Header {
            name: name.as_ptr().cast(),
            name_length: name.len(),
            value: value.as_ptr().cast(),
            value_length: value.len(),
        })
        .collect();
    let request = Request {
        size: size_of::<Request>(),
        method: method.as_ptr().cast(),
        method_length: method.len(),
        target: target.as_ptr().cast(),
        target_length: target.len(),
        headers: fields.as_ptr(),
        header_count: fields.len(),
        certificate: ptr::null(),
        certificate_length: 0,
    };
    let usage = input.last().copied().map_or(0, u32::from) % 6;
    // SAFETY: the gate is open; every pointer has as many bytes or headers as the length beside it says.
    unsafe {
        let decision = watchword_decision_new();
        let gate = ptr::with_exposed_provenance(*GATE);
        let result = watchword_check(gate, &raw const request, decision);
        assert!([ALLOWED, REJECTED, UNCONFIRMED].contains(&result));
        let removed = removed(decision);
        assert!(removed.iter().all(|position| *position < fields.len()));
        read(decision, result == ALLOWED);
        let confirmed = watchword_confirm(decision, usage);
        match (result, usage) {
            (UNCONFIRMED, 1..=4) => {
                assert_eq!(confirmed, if usage == FIRST_USE { ALLOWED } else { REJECTED });
                read(decision, usage == FIRST_USE);
            }
            _ => {
                assert_eq!(confirmed, INVALID);
                read(decision, result == ALLOWED);
            }
        }
        watchword_decision_free(decision);
        result
    }
}

/// Reads everything of a decision.
///
/// # Safety
/// It is one of the library.
unsafe fn read(decision: *const c_void, is_allowed: bool) {
    // SAFETY: the library returns pointers to as many bytes and headers as it says.
    unsafe {
        let status = watchword_decision_status(decision);
        assert_eq!(status == 200, is_allowed);
        assert!(status == 200 || (400..600).contains(&status));
        let mut count = 0;
        let headers = watchword_decision_headers(decision, &raw mut count);
        assert!(count > 0);
        for field in std::slice::from_raw_parts(headers, count) {
            for (text, length) in [(field.name, field.name_length), (field.value, field.value_length)] {
                let text = std::slice::from_raw_parts(text.cast::<u8>(), length);
                assert!(text.iter().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
        for which in TEXTS {
            let mut length = 0;
            let text = watchword_decision_text(decision, which, &raw mut length);
            assert!(std::str::from_utf8(std::slice::from_raw_parts(text.cast(), length)).is_ok());
        }
    }
}

/// # Safety
/// As for [`read`].
unsafe fn removed<'a>(decision: *const c_void) -> &'a [usize] {
    let mut count = 0;
    // SAFETY: the library returns a pointer to as many numbers as it says, which stay until the decision is filled.
    unsafe {
        let removed = watchword_decision_removed(decision, &raw mut count);
        std::slice::from_raw_parts(removed, count)
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}
