//! An audit gives each use of a token the verdict of `verify` at its time, whatever is kept of tokens that occur again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;

use common::{CLAIMS, JWKS, NOW, SIGNERS, key_set, signer, strict};
use proptest::prelude::*;
use watchword_kernel::audit::{AuditFailure, AuditKeys, AuditRow, Auditor, time_of_use};
use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::scope::PlainScopes;
use watchword_kernel::{
    Algorithm, Audience, Backend, KeyEpoch, KeyHistory, KeyLayer, KeySet, KeyState, Policy, PolicyEpoch, PolicyHistory,
    ProofOfPossession, ProofPolicy, UnixTime, verify,
};

const ISSUER: &str = "https://as.example";
const EDDSA: &str = r#"{"alg":"EdDSA","kid":"ed25519"}"#;

fn lenient() -> Policy {
    strict().with_audience(Audience::Any).unwrap()
}

fn epoch(policy: Policy) -> PolicyEpoch {
    PolicyEpoch { policy: Arc::new(policy), scopes: PlainScopes::from_claim([""; 0]) }
}

/// Strict until [`NOW`] plus 30 seconds, then lenient.
fn auditor(keys: AuditKeys, cache_bytes: usize) -> Auditor {
    let policies = PolicyHistory::new(epoch(strict()), vec![(NOW + 30.0, epoch(lenient()))]).unwrap();
    let algorithms = [Algorithm::EdDsa, Algorithm::Es256].into_iter().collect();
    Auditor::new(keys, policies, ProofPolicy::new(PROOF_LIMITS, algorithms, 60.0, 5.0).unwrap(), cache_bytes).unwrap()
}

fn any_issuer() -> AuditKeys {
    AuditKeys::OfAnyIssuer(KeyHistory::of_key_set(Arc::new(key_set(Backend::Default))))
}

fn tokens() -> Vec<String> {
    let ed25519 = signer(Algorithm::EdDsa);
    let mut tokens: Vec<_> = SIGNERS.iter().map(|signer| signer.token(signer.header(), CLAIMS)).collect();
    for changed in [
        CLAIMS.replace("api", "other"),
        CLAIMS.replace("as.example", "evil.example"),
        CLAIMS.replace("1700000060", "1699999000"),
        CLAIMS.replace("1700000060", r#""soon""#),
        CLAIMS.replace(r#""sub""#, r#""cnf":{"jkt":"x"},"sub""#),
    ] {
        tokens.push(ed25519.token(EDDSA, changed));
    }
    let mut forged = tokens[0].clone();
    forged.replace_range(forged.len() - 12.., "AAAAAAAAAAAA");
    tokens.extend([forged, "a.b".into(), String::new(), ed25519.token(r#"{"alg":"EdDSA","kid":"none"}"#, CLAIMS)]);
    tokens
}

fn codes(auditor: &Auditor, rows: &[(&str, f64)]) -> Vec<Option<&'static str>> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(token, time)| AuditRow { token: Some(token.as_bytes()), time: time_of_use(*time), request: None })
        .collect();
    let mut codes = Vec::new();
    auditor.audit(&rows, |_, verdict| {
        assert!(verdict.outcome.is_err() || verdict.token.is_some_and(|token| token.claims().is_some()));
        codes.push(verdict.outcome.err().map(|failure| failure.code()));
    });
    codes
}

fn alone(token: &str, time: f64) -> Option<&'static str> {
    let policy = if time < NOW + 30.0 { strict() } else { lenient() };
    let now = UnixTime::new(time).unwrap();
    let verdict = verify(token.as_bytes(), &key_set(Backend::Default), &policy, now, ProofOfPossession::default());
    verdict.err().map(|rejection| rejection.code())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_use_is_verified_as_if_it_were_alone(
        rows in prop::collection::vec((0..22_usize, 0..8_usize), 1..200),
        cache_bytes in prop::sample::select(vec![0, 20_000, 100_000, 64 << 20]),
    ) {
        let tokens = tokens();
        let times = [-900.0, -11.0, 0.0, 29.9, 30.0, 59.0, 66.0, 1e6];
        let rows: Vec<_> =
            rows.into_iter().map(|(token, time)| (tokens[token % tokens.len()].as_str(), NOW + times[time])).collect();
        let want: Vec<_> = rows.iter().map(|(token, time)| alone(token, *time)).collect();
        let auditor = auditor(any_issuer(), cache_bytes);
        for _ in 0..3 {
            prop_assert_eq!(codes(&auditor, &rows), want.clone());
        }
        // In threads that share what is kept.
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..3).map(|_| scope.spawn(|| codes(&auditor, &rows))).collect();
            for one in all {
                assert_eq!(one.join().unwrap(), want);
            }
        });
    }
}

#[test]
fn rows_without_token_or_time() {
    let token = Some(&b"a.b.c"[..]);
    let rows = [
        AuditRow { token: None, time: None, request: None },
        AuditRow { token, time: time_of_use(f64::NAN), request: None },
        AuditRow { token, time: time_of_use(-1.0), request: None },
        AuditRow { token, time: time_of_use(1e300), request: None },
    ];
    let mut failures = Vec::new();
    auditor(any_issuer(), 0).audit(&rows, |_, verdict| failures.push(verdict.outcome.unwrap_err()));
    let invalid = AuditFailure::InvalidTime;
    assert_eq!(failures, [AuditFailure::MissingToken, invalid.clone(), invalid.clone(), invalid]);
}

/// A history in which nothing is recorded, then the keys are listed, then compromised.
#[test]
fn keys_hold_for_their_time_and_their_issuer() {
    let keys = Arc::new(KeySet::from_json(JWKS.as_bytes(), Backend::Default).unwrap());
    let of = |state| KeyEpoch::new(vec![KeyLayer { state, keys: Arc::clone(&keys) }]);
    let later = vec![(NOW - 10.0, of(KeyState::Listed)), (NOW + 10.0, of(KeyState::Compromised))];
    let history = KeyHistory::new(KeyEpoch::default(), later).unwrap();
    let other = ("https://other.example".to_owned(), KeyHistory::unrecorded());
    let signer = signer(Algorithm::EdDsa);
    let (own, foreign) =
        (signer.token(EDDSA, CLAIMS), signer.token(EDDSA, CLAIMS.replace("as.example", "other.example")));
    let nobody = signer.token(EDDSA, CLAIMS.replace("as.example", "nobody.example"));
    for cache_bytes in [0, 1 << 20] {
        let keys = AuditKeys::ByIssuer(vec![(ISSUER.to_owned(), history.clone()), other.clone()]);
        let auditor = auditor(keys, cache_bytes);
        let rows = [(&own, -20.0), (&own, 0.0), (&own, 10.0), (&foreign, 0.0), (&nobody, 0.0)];
        let rows: Vec<_> = rows.iter().map(|(token, time)| (token.as_str(), NOW + time)).collect();
        let want =
            [Some("keys_not_recorded"), None, Some("key_compromised"), Some("keys_not_recorded"), Some("wrong_issuer")];
        for _ in 0..3 {
            assert_eq!(codes(&auditor, &rows), want);
        }
    }
}

#[test]
fn histories_are_in_order() {
    let later = |starts: &[f64]| starts.iter().map(|start| (*start, KeyEpoch::default())).collect();
    assert!(KeyHistory::new(KeyEpoch::default(), later(&[1.0, 2.0])).is_ok());
    for starts in [&[2.0, 1.0][..], &[1.0, 1.0], &[f64::NAN], &[f64::INFINITY]] {
        assert!(KeyHistory::new(KeyEpoch::default(), later(starts)).is_err());
    }
}
