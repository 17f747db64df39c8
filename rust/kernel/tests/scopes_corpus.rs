//! Replays the corpus of the fuzz target `scopes`, and generates inputs that look like scopes.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/scopes.rs"]
mod checks;

use std::path::Path;

use proptest::prelude::*;

#[test]
fn replay() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/scopes");
    let mut replayed = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus exists") {
        checks::scopes(&std::fs::read(entry.expect("readable").path()).expect("readable"));
        replayed += 1;
    }
    assert!(replayed >= 10, "only {replayed} inputs");
}

proptest! {
    #[test]
    fn texts_that_look_like_scopes(
        granted in "([ab*]{1,2}(\\.[ab*]{1,2}){0,2}(:(read|write|\\*{1,3}|a)){0,2} ){0,6}",
        required in "([ab*]{1,2}(\\.[ab*]{1,2}){0,2}(:(read|write|\\*{1,3}|a)){0,2} ){0,6}",
        action in "read|write|\\*|a|",
        resource in "[ab*]{0,2}(\\.[ab*]{0,2}){0,3}",
        identifier in "[ab*]{0,2}",
    ) {
        checks::scopes([granted, required, action, resource, identifier].join("\n").as_bytes());
    }

    #[test]
    fn any_text(text in "(?s).{0,64}") {
        checks::scopes(text.as_bytes());
    }
}
