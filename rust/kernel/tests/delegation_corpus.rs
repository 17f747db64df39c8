//! Replays the seeds of the fuzz target for delegation chains on a stable toolchain, and generates further inputs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/delegation.rs"]
mod delegation_checks;

use std::panic::catch_unwind;
use std::path::PathBuf;

use delegation_checks::{delegation, is_read};
use proptest::prelude::*;
use serde_json::{Value, json};

fn seeds() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/delegation");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn replay() {
    let files = seeds();
    assert!(files.len() >= 30, "{} seeds", files.len());
    let failed: Vec<&PathBuf> = files
        .iter()
        .filter(|file| {
            let input = std::fs::read(file).unwrap();
            catch_unwind(|| delegation(&input)).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Seeds named `good-…` are read, and those named `bad-…` are not.
#[test]
fn seeds_have_the_right_names() {
    for file in seeds() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let read = is_read(&std::fs::read(&file).unwrap());
        if name.starts_with("good-") {
            assert!(read, "{name}");
        }
        if name.starts_with("bad-") {
            assert!(!read, "{name}");
        }
    }
}

/// Short texts of few letters, with all separators and characters that are escaped.
fn name() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => "[ab]{1,2}".prop_map(Value::from),
        2 => "(user:|client:)[ab]?".prop_map(Value::from),
        2 => "[a<>&|,:*\u{2028}\u{7f}\u{1}\"\\\\\n\u{1f600}]{0,4}".prop_map(Value::from),
        1 => anything(),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(5)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!(["a", "b"])),
        Just(json!({"sub": "a"})),
    ]
}

/// Nested acts, some levels malformed.
fn act() -> impl Strategy<Value = Value> {
    let spoilt =
        prop::option::weighted(0.05, (prop::sample::select(vec!["exp", "aud", "iss", "act", "x"]), anything()));
    let member = prop_oneof![20 => Just("sub"), 1 => Just("client_id"), 1 => Just("iss")];
    prop::collection::vec((member, name(), spoilt), 1..40).prop_map(|levels| {
        levels.into_iter().rev().fold(Value::Null, |inner, (member, name, spoilt)| {
            let mut level = json!({ member: name });
            if !inner.is_null() {
                level["act"] = inner;
            }
            if let Some((name, value)) = spoilt {
                level[name] = value;
            }
            level
        })
    })
}

fn scope() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => "[rw]:[ab]:[ab*]".prop_map(Value::from),
        1 => "[r*]:[a*]:[a*]".prop_map(Value::from),
        1 => "[r:*,<]{0,6}".prop_map(Value::from),
    ]
}

fn records() -> impl Strategy<Value = Value> {
    let scopes = prop::collection::vec(scope(), 0..4).prop_map(Value::from);
    let scopes = prop_oneof![60 => scopes, 1 => anything()];
    let text = || prop_oneof![60 => "[ab|,<]{1,3}".prop_map(Value::from), 1 => anything()];
    let record = (text(), scopes, text(), prop::option::of(text())).prop_map(|(agent, scope, at, signature)| {
        let mut record = json!({ "agent": agent, "scope": scope, "delegated_at": at });
        if let Some(signature) = signature {
            record["signature"] = signature;
        }
        record
    });
    let record = prop_oneof![60 => record, 1 => anything()].boxed();
    let few = prop::collection::vec(record.clone(), 0..4);
    prop_oneof![9 => few, 1 => prop::collection::vec(record, 30..36)].prop_map(Value::from)
}

fn claims() -> impl Strategy<Value = Value> {
    let mostly = |weight, strategy| prop::option::weighted(weight, strategy);
    let envelope = (name(), name(), name()).prop_map(|(principal, provider, agent)| {
        json!({"principal_id": principal, "agent": {"provider": provider, "agent_id": agent}})
    });
    let may_act = (name(), mostly(0.3, name().boxed()))
        .prop_map(|(sub, iss)| iss.map_or_else(|| json!({ "sub": sub }), |iss| json!({"sub": sub, "iss": iss})));
    (
        mostly(0.95, prop_oneof![6 => "[ab]|user:a".prop_map(Value::from), 1 => name()].boxed()),
        mostly(0.7, prop_oneof![6 => "[ab]".prop_map(Value::from), 1 => name()].boxed()),
        mostly(0.4, act().boxed()),
        mostly(0.4, records().boxed()),
        mostly(0.2, prop_oneof![5 => envelope, 1 => anything()].boxed()),
        mostly(0.3, prop_oneof![5 => may_act, 1 => anything()].boxed()),
        mostly(0.2, anything().boxed()),
        mostly(0.6, prop::collection::vec(scope(), 0..3).prop_map(Value::from).boxed()),
    )
        .prop_map(|(sub, iss, act, records, envelope, may_act, human, scope)| {
            let mut claims = json!({});
            let members = ["sub", "iss", "act", "delegation_chain", "actor_chain", "may_act", "human_root", "scope"];
            for (name, value) in members.into_iter().zip([sub, iss, act, records, envelope, may_act, human, scope]) {
                if let Some(value) = value {
                    claims[name] = value;
                }
            }
            claims
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn claims_of_every_form(claims in claims()) {
        delegation(claims.to_string().as_bytes());
    }

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        delegation(&bytes);
    }

    #[test]
    fn claims_with_a_byte_changed(claims in claims(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = claims.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        delegation(&text);
    }

    #[test]
    fn any_depth(depth in 0_usize..300, inner in prop::sample::select(vec!["{\"sub\":\"a\"}", "{}", "[]", "\"a\""])) {
        let text = format!("{{\"act\":{}{inner}{}}}", "{\"sub\":\"a\",\"act\":".repeat(depth), "}".repeat(depth));
        delegation(text.as_bytes());
    }
}
