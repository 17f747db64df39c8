//! The bytes that an auditor keeps of tokens that may occur again.
//!
//! One test, because the count is the process's: another one beside it would be counted along.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use common::{CLAIMS, key_set, now, signer, strict};
use peak_alloc::PeakAlloc;
use watchword_kernel::audit::{AuditKeys, AuditRow, Auditor};
use watchword_kernel::scope::PlainScopes;
use watchword_kernel::{Algorithm, Backend, KeyHistory, Limits, PolicyEpoch, PolicyHistory, ProofPolicy};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CACHE_BYTES: usize = 2 << 20;

fn auditor() -> Auditor {
    let keys = AuditKeys::OfAnyIssuer(KeyHistory::of_key_set(Arc::new(key_set(Backend::Default))));
    let scopes = PlainScopes::new(["0"]).unwrap();
    let policies = PolicyHistory::new(PolicyEpoch { policy: Arc::new(strict()), scopes }, Vec::new()).unwrap();
    Auditor::new(
        keys,
        policies,
        ProofPolicy::new(Limits::default(), Algorithm::ALL.into_iter().collect(), 60.0, 5.0).unwrap(),
        CACHE_BYTES,
    )
    .unwrap()
}

/// A valid token with so many scopes.
fn token(number: usize, scopes: usize) -> String {
    let scopes: Vec<_> = (0..scopes).map(|scope| format!("{scope:x}")).collect();
    let claims = CLAIMS.replace("agent-7", &format!("agent-{number}"));
    let claims = claims.replace('}', &format!(r#","scope":"{}"}}"#, scopes.join(" ")));
    let signer = signer(Algorithm::EdDsa);
    signer.token(signer.header(), claims)
}

fn audit(auditor: &Auditor, token: &str) {
    let row = AuditRow { token: Some(token.as_bytes()), time: Some(now()), request: None };
    auditor.audit(&[row], |_, verdict| assert!(verdict.outcome.is_ok(), "{verdict:?}"));
}

#[test]
fn an_auditor_keeps_no_more_bytes_than_it_may() {
    // Allocations that are made once for the process, such as the table of the base point.
    audit(&auditor(), &token(0, 1));
    for scopes in [1, 10, 2400] {
        let auditor = auditor();
        let before = ALLOCATOR.current_usage();
        for number in 0..20_000 / (scopes + 10) {
            let token = token(number, scopes);
            // It is kept when it occurs again, and found the third time.
            (0..3).for_each(|_| audit(&auditor, &token));
        }
        let taken = ALLOCATOR.current_usage().saturating_sub(before);
        assert!(taken <= CACHE_BYTES, "{scopes} scopes: {taken} bytes");
    }
}
