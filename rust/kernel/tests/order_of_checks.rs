//! The first check that fails names the error: tokens with several faults, in every pair and in random sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY_OPTIONS, key_set, now, signer, strict};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use watchword_kernel::{Algorithm, verify};

/// A way to spoil a token.
struct Fault {
    code: &'static str,
    spoil: Spoil,
}

enum Spoil {
    Header(&'static str, fn() -> Value),
    Claim(&'static str, fn() -> Value),
    Token(fn(&str) -> String),
}

/// In the order of the checks.
const FAULTS: &[Fault] = &[
    Fault { code: "too_large", spoil: Spoil::Header("pad", || json!("x".repeat(4096))) },
    Fault { code: "malformed_token", spoil: Spoil::Token(|token| format!("{token}.AAAA")) },
    Fault { code: "malformed_token", spoil: Spoil::Token(|token| token.replacen('.', "=.", 1)) },
    Fault { code: "malformed_header", spoil: Spoil::Header("kid", || json!(7)) },
    Fault { code: "unsupported_critical_header", spoil: Spoil::Header("crit", || json!(["exp"])) },
    Fault { code: "wrong_type", spoil: Spoil::Header("typ", || json!("dpop+jwt")) },
    Fault { code: "algorithm_not_allowed", spoil: Spoil::Header("alg", || json!("HS256")) },
    Fault { code: "unknown_key", spoil: Spoil::Header("kid", || json!("another")) },
    Fault { code: "algorithm_not_allowed", spoil: Spoil::Header("alg", || json!("ES256")) },
    Fault { code: "invalid_signature", spoil: Spoil::Token(flip_in_signature) },
    Fault { code: "malformed_claims", spoil: Spoil::Claim("sub", || json!(1)) },
    Fault { code: "expired", spoil: Spoil::Claim("exp", || json!(1_699_999_995)) },
    Fault { code: "not_yet_valid", spoil: Spoil::Claim("nbf", || json!(1_700_000_006)) },
    Fault { code: "issued_in_future", spoil: Spoil::Claim("iat", || json!(1_700_000_006)) },
    Fault { code: "wrong_issuer", spoil: Spoil::Claim("iss", || json!("https://as.example/")) },
    Fault { code: "wrong_audience", spoil: Spoil::Claim("aud", || json!(["https://elsewhere.example"])) },
    Fault { code: "missing_claim", spoil: Spoil::Claim("jti", || Value::Null) },
    Fault { code: "dpop_proof_required", spoil: Spoil::Claim("cnf", || json!({"jkt": "x"})) },
];

/// Another signature that is well-formed.
fn flip_in_signature(token: &str) -> String {
    let at = token.match_indices('.').nth(1).unwrap().0 + 1;
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

/// A token with the faults whose bits are set.
fn token(faults: u32) -> String {
    let mut header: Map<String, Value> = Map::new();
    header.insert("alg".into(), json!("EdDSA"));
    header.insert("kid".into(), json!("ed25519"));
    let mut claims: Map<String, Value> = serde_json::from_str(common::CLAIMS).unwrap();
    claims.insert("jti".into(), json!("1"));
    let chosen = || FAULTS.iter().enumerate().filter(|(bit, _)| faults >> bit & 1 == 1).map(|(_, fault)| fault);
    // From the last to the first, so that the first stays where two spoil the same member.
    for fault in chosen().collect::<Vec<_>>().into_iter().rev() {
        match &fault.spoil {
            Spoil::Header(name, value) => drop(header.insert((*name).into(), value())),
            // A member that is null and is not one of the registered claims is as good as none.
            Spoil::Claim("jti", _) => drop(claims.remove("jti")),
            Spoil::Claim(name, value) => drop(claims.insert((*name).into(), value())),
            Spoil::Token(_) => {}
        }
    }
    let signed = signer(Algorithm::EdDsa).token(Value::from(header).to_string(), Value::from(claims).to_string());
    chosen()
        .filter_map(|fault| if let Spoil::Token(spoil) = fault.spoil { Some(spoil) } else { None })
        .fold(signed, |token, spoil| spoil(&token))
}

fn check(faults: u32) {
    let token = token(faults);
    let expected = FAULTS.iter().enumerate().find(|(bit, _)| faults >> bit & 1 == 1).map(|(_, fault)| fault.code);
    let policy = strict().with_required(vec!["exp".into(), "jti".into()]);
    for options in KEY_OPTIONS {
        let verdict = verify(token.as_bytes(), &key_set(options), &policy, now());
        assert_eq!(verdict.err().map(|error| error.code()), expected, "{faults:b}");
    }
}

#[test]
fn each_fault_and_each_pair() {
    check(0);
    for first in 0..FAULTS.len() {
        for second in first..FAULTS.len() {
            check(1 << first | 1 << second);
        }
    }
}

/// The sizes come before everything, and a token of five parts is named before what is in them.
#[test]
fn the_first_of_all() {
    let code = |token: String| {
        verify(token.as_bytes(), &key_set(watchword_kernel::Backend::Default), &strict(), now()).unwrap_err().code()
    };
    assert_eq!(code("=".repeat(16 * 1024 + 1)), "too_large");
    assert_eq!(code(".".repeat(16 * 1024 + 1)), "too_large");
    assert_eq!(code(format!("e30.{}", "=".repeat(16 * 1024 - 4))), "malformed_token");
    assert_eq!(code(format!("{}.e30.AAAA", "=".repeat(4097))), "too_large");
    assert_eq!(code(format!("{}.e30.AAAA", "=".repeat(4096))), "malformed_token");
    assert_eq!(code("=.=.=.=.=".into()), "unsupported");
    assert_eq!(code("=.=.=.=.=.=".into()), "malformed_token");
    assert_eq!(code(String::new()), "malformed_token");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_set_of_faults(faults in 0_u32..1 << FAULTS.len()) {
        check(faults);
    }
}
