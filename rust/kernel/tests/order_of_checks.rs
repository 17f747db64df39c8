//! The first check that fails names the error: tokens with several defects, in every pair and in random sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

mod common;

use std::sync::LazyLock;

use common::{KEY_OPTIONS, NOW, key_set, now, signer, strict};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use watchword_kernel::{Algorithm, JwsPolicy, Policy, ProofOfPossession, verify};

/// The table that the tests in Python read, too: its format is explained in the file.
static TABLE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../tests/order_of_checks.json")).unwrap());

static CASES: LazyLock<Vec<OrderCase>> =
    LazyLock::new(|| TABLE["cases"].as_array().unwrap().iter().map(OrderCase::new).collect());

/// A defect, and the step of docs/verification.md that finds it.
struct OrderCase {
    step: u64,
    code: &'static str,
    row: &'static Map<String, Value>,
}

impl OrderCase {
    fn new(row: &'static Value) -> Self {
        Self { step: row["step"].as_u64().unwrap(), code: row["code"].as_str().unwrap(), row: row.as_object().unwrap() }
    }

    /// What it changes: two cases that change the same cannot be combined.
    fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.row.iter().filter(|(part, _)| !matches!(part.as_str(), "step" | "code" | "name")).flat_map(
            |(part, change)| {
                let members =
                    change.as_object().map(|members| members.keys().map(|name| (part.as_str(), Some(name.as_str()))));
                let whole = members.is_none().then_some((part.as_str(), None));
                members.into_iter().flatten().chain(whole)
            },
        )
    }

    fn can_be_combined(&self, other: &Self) -> bool {
        self.changes().all(|change| other.changes().all(|another| change != another))
    }

    fn text(&self, part: &str) -> &str {
        self.row.get(part).and_then(Value::as_str).unwrap_or_default()
    }
}

fn apply(cases: &[&OrderCase], part: &str, members: &mut Map<String, Value>) -> String {
    for (name, value) in cases.iter().filter_map(|case| case.row.get(part)?.as_object()).flatten() {
        if value.get("$absent").is_some() {
            members.remove(name);
        } else if let Some(seconds) = value.get("$now") {
            members.insert(name.clone(), json!(NOW + seconds.as_f64().unwrap()));
        } else if let Some(count) = value.get("$letters") {
            members.insert(name.clone(), json!("x".repeat(count.as_u64().unwrap().try_into().unwrap())));
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    let written = Value::from(members.clone()).to_string();
    let extra: String = cases.iter().map(|case| case.text(&format!("{part}_raw"))).collect();
    if extra.is_empty() { written } else { format!("{},{extra}}}", &written[..written.len() - 1]) }
}

/// Another signature that is well-formed.
fn change_signature(token: &str) -> String {
    let at = token.match_indices('.').nth(1).unwrap().0 + 1;
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

fn token_with(cases: &[&OrderCase]) -> String {
    let mut header = json!({"alg": "EdDSA", "kid": "ed25519", "typ": "JWT"});
    let mut claims: Value = serde_json::from_str(common::CLAIMS).unwrap();
    claims["tenant"] = json!("blue");
    let header = apply(cases, "header", header.as_object_mut().unwrap());
    let claims = apply(cases, "claims", claims.as_object_mut().unwrap());
    let mut token = signer(Algorithm::EdDsa).token(header, claims);
    if cases.iter().any(|case| !case.text("signature").is_empty()) {
        token = change_signature(&token);
    }
    token + &cases.iter().map(|case| case.text("suffix")).collect::<String>()
}

fn policy() -> Policy {
    let names = |member: &str| -> Vec<&str> {
        TABLE["policy"][member].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    };
    let types: Vec<_> = names("types").into_iter().map(Some).collect();
    let jws = JwsPolicy::default().with_types(&types).unwrap().with_algorithms(&names("algorithms")).unwrap();
    strict().with_jws(jws).with_required(names("required").into_iter().map(Into::into).collect())
}

/// The code is one of the earliest step's: within one step the order is free.
fn check(cases: &[&OrderCase]) {
    let token = token_with(cases);
    let first = cases.iter().map(|case| case.step).min();
    let expected: Vec<_> = cases.iter().filter(|case| Some(case.step) == first).map(|case| case.code).collect();
    for options in KEY_OPTIONS {
        let verdict = verify(token.as_bytes(), &key_set(options), &policy(), now(), ProofOfPossession::default());
        let names: Vec<_> = cases.iter().map(|case| case.text("name")).collect();
        match verdict.err().map(|error| error.code()) {
            Some(code) => assert!(expected.contains(&code), "{names:?}: {code}"),
            None => assert!(expected.is_empty(), "{names:?}: valid"),
        }
    }
}

#[test]
fn each_defect_and_each_pair() {
    check(&[]);
    for (index, first) in CASES.iter().enumerate() {
        check(&[first]);
        for second in CASES[index..].iter().filter(|second| first.can_be_combined(second)) {
            check(&[first, second]);
        }
    }
}

/// The sizes come before everything, and a token of five parts is named before what is in them.
#[test]
fn the_first_of_all() {
    let code = |token: String| {
        verify(
            token.as_bytes(),
            &key_set(watchword_kernel::Backend::Default),
            &strict(),
            now(),
            ProofOfPossession::default(),
        )
        .unwrap_err()
        .code()
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
    fn any_set_of_defects(chosen in proptest::collection::vec(0..CASES.len(), 0..10)) {
        let mut cases: Vec<&OrderCase> = Vec::new();
        for case in chosen.into_iter().map(|index| &CASES[index]) {
            if cases.iter().all(|other| other.can_be_combined(case)) {
                cases.push(case);
            }
        }
        check(&cases);
    }
}
