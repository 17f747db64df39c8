//! The boundary under arguments that no careful caller passes.

#![allow(clippy::multiple_unsafe_ops_per_block, reason = "each calls one function after the other")]

use std::ffi::{CString, c_char};
use std::ptr;

use proptest::prelude::*;

use crate::decision::*;
use crate::gate::*;
use crate::request::{Header, Request};
use crate::view::*;

const CONFIG: &str = r#"{
    "public_url": "https://api.example",
    "token": {"audience": "https://api.example"},
    "issuers": [{"issuer": "https://as.example", "jwks": {"keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
    "routes": [{"path": "/public", "public": true}, {"path": "/optional", "optional": true}, {"path": "/{path...}"}]
}"#;

struct Open {
    gate: *mut Gate,
    folder: std::path::PathBuf,
}

impl Open {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("watchword-capi-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap_or_default();
        let file = folder.join("gate.json");
        std::fs::write(&file, CONFIG).unwrap_or_default();
        let path = CString::new(file.display().to_string()).unwrap_or_default();
        // SAFETY: a NUL-terminated path, and no buffer.
        let gate =
            unsafe { watchword_gate_open(path.as_ptr(), ptr::null(), WATCHWORD_REPLAY_MEMORY, ptr::null_mut(), 0) };
        assert!(!gate.is_null());
        Self { gate, folder }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: it is open, and closed once.
        unsafe { watchword_gate_close(self.gate) };
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A pointer and a length as a caller may pass them: NULL, or bytes.
fn lent(bytes: Option<&Vec<u8>>) -> (*const c_char, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}

fn field(name: Option<&Vec<u8>>, value: Option<&Vec<u8>>) -> Header {
    let ((name, name_length), (value, value_length)) = (lent(name), lent(value));
    Header { name, name_length, value, value_length }
}

fn request(method: &[u8], target: &[u8], headers: &[Header]) -> Request {
    Request {
        size: size_of::<Request>(),
        method: method.as_ptr().cast(),
        method_length: method.len(),
        target: target.as_ptr().cast(),
        target_length: target.len(),
        headers: headers.as_ptr(),
        header_count: headers.len(),
        certificate: ptr::null(),
        certificate_length: 0,
    }
}

/// Everything of a decision.
struct Shown {
    status: u32,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    removed: Vec<usize>,
    texts: Vec<Vec<u8>>,
}

/// Reads everything of a decision, as a caller would.
fn read(decision: *const Decision) -> Shown {
    let bytes = |data: *const c_char, length| {
        // SAFETY: the library returned both.
        unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec()
    };
    let (mut count, mut length) = (0, 0);
    // SAFETY: a decision, and numbers that may be written.
    let headers = unsafe { watchword_decision_headers(decision, &raw mut count) };
    // SAFETY: the library returned both.
    let headers = unsafe { std::slice::from_raw_parts(headers, count) };
    let headers =
        headers.iter().map(|field| (bytes(field.name, field.name_length), bytes(field.value, field.value_length)));
    let headers: Vec<_> = headers.collect();
    // SAFETY: as above.
    let removed = unsafe { watchword_decision_removed(decision, &raw mut count) };
    // SAFETY: as above.
    let removed = unsafe { std::slice::from_raw_parts(removed, count) }.to_vec();
    let texts = (0..8).map(|which| {
        // SAFETY: as above.
        let text = unsafe { watchword_decision_text(decision, which, &raw mut length) };
        bytes(text, length)
    });
    let texts: Vec<_> = texts.collect();
    // SAFETY: as above.
    let status = unsafe { watchword_decision_status(decision) };
    Shown { status, headers, removed, texts }
}

#[test]
fn null_is_an_error_of_the_caller() {
    let null = ptr::null_mut();
    let open = Open::new("null");
    let decision = watchword_decision_new();
    let sent = request(b"GET", b"/public", &[]);
    let mut message = [1; 40];
    // SAFETY: NULL is allowed everywhere; the rest is valid.
    unsafe {
        watchword_gate_close(ptr::null_mut());
        watchword_decision_free(null);
        assert_eq!(watchword_check(ptr::null(), &raw const sent, decision), WATCHWORD_INVALID);
        assert_eq!(watchword_check(open.gate, ptr::null(), decision), WATCHWORD_INVALID);
        assert_eq!(watchword_check(open.gate, &raw const sent, null), WATCHWORD_INVALID);
        assert_eq!(watchword_confirm(null, WATCHWORD_FIRST_USE), WATCHWORD_INVALID);
        assert_eq!(watchword_decision_status(null), 500);
        assert!(!watchword_decision_text(decision, WATCHWORD_TEXT_CODE, ptr::null_mut()).is_null());
        watchword_decision_headers(decision, ptr::null_mut());
        assert_eq!(watchword_gate_records_proofs(ptr::null()), 1);
        assert_eq!(watchword_gate_next_event(ptr::null(), ptr::null_mut(), message.as_mut_ptr(), 40), 0);
        assert_eq!(message.first(), Some(&0));
        let gate = watchword_gate_open(ptr::null(), ptr::null(), 9, message.as_mut_ptr(), message.len());
        assert!(gate.is_null());
    }
    assert!(read(null).headers.is_empty());
    let text: Vec<u8> = message.iter().take_while(|c| **c != 0).map(|c| c.cast_unsigned()).collect();
    assert_eq!(String::from_utf8_lossy(&text), "config_file is NULL: it must be the pat");
    // SAFETY: freed once.
    unsafe { watchword_decision_free(decision) };
}

#[test]
fn a_request_that_cannot_be_read_is_rejected() {
    let open = Open::new("invalid");
    let decision = watchword_decision_new();
    let good = || request(b"GET", b"/public", &[]);
    let one = field(None, None);
    let impossible = usize::MAX;
    let requests = [
        Request { size: 8, ..good() },
        Request { size: size_of::<Request>() + 8, ..good() },
        Request { method: ptr::null(), ..good() },
        Request { target: ptr::null(), ..good() },
        Request { target_length: impossible, ..good() },
        Request { headers: ptr::null(), header_count: 1, ..good() },
        Request { headers: &raw const one, header_count: impossible, ..good() },
        Request { certificate_length: 1, ..good() },
    ];
    // SAFETY: only what can be checked is invalid.
    unsafe {
        for invalid in &requests {
            assert_eq!(watchword_check(open.gate, &good(), decision), WATCHWORD_ALLOWED);
            assert_eq!(watchword_check(open.gate, invalid, decision), WATCHWORD_INVALID);
            let shown = read(decision);
            assert_eq!(shown.status, 500);
            assert_eq!(shown.headers.len(), 2);
            assert_eq!(shown.texts.get(1).map(Vec::as_slice), Some(b"internal_error".as_slice()));
            assert_eq!(watchword_confirm(decision, WATCHWORD_FIRST_USE), WATCHWORD_INVALID);
            assert_eq!(watchword_decision_status(decision), 500);
        }
        watchword_decision_free(decision);
    }
}

fn any_bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        1 => Just(None),
        4 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Some),
        4 => prop::sample::select(vec![
            "GET", "POST", "/public", "/optional", "/x", "Authorization", "DPoP", "X-Auth-Sub", "x_auth_sub", "Bearer x.y.z",
            "Bearer eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUifQ.AAAA", "Host", "Connection", "traceparent",
        ])
        .prop_map(|text| Some(text.as_bytes().to_vec())),
    ]
}

proptest! {
    #[test]
    fn any_bytes_get_a_decision(
        method in any_bytes(),
        target in any_bytes(),
        headers in prop::collection::vec((any_bytes(), any_bytes()), 0..12),
        certificate in any_bytes(),
        usage in any::<u32>(),
    ) {
        let open = Open::new("any");
        let decision = watchword_decision_new();
        let fields: Vec<Header> = headers.iter().map(|(name, value)| field(name.as_ref(), value.as_ref())).collect();
        let (method, method_length) = lent(method.as_ref());
        let (target, target_length) = lent(target.as_ref());
        let (certificate, certificate_length) = lent(certificate.as_ref());
        let sent = Request {
            method, method_length, target, target_length, certificate, certificate_length,
            ..request(b"", b"", &fields)
        };
        // SAFETY: every pointer has as many bytes as its length says.
        let result = unsafe { watchword_check(open.gate, &raw const sent, decision) };
        let Shown { status, headers: written, removed, texts } = read(decision);
        prop_assert!([WATCHWORD_ALLOWED, WATCHWORD_REJECTED].contains(&result));
        prop_assert_eq!(result == WATCHWORD_ALLOWED, status == 200);
        prop_assert!(status == 200 || (400..504).contains(&status));
        prop_assert!(removed.iter().all(|position| *position < fields.len()));
        prop_assert!(!written.is_empty());
        prop_assert_eq!(status == 200, texts.get(3).is_some_and(Vec::is_empty));
        // SAFETY: as above.
        let confirmed = unsafe { watchword_confirm(decision, usage) };
        prop_assert_eq!(confirmed, WATCHWORD_INVALID);
        prop_assert_eq!(read(decision).status, status);
        // SAFETY: freed once.
        unsafe { watchword_decision_free(decision) };
    }
}
