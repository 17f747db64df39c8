//! Every request of the gate's corpus by the C ABI. The check is the one that the fuzz target runs.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/capi.rs"]
mod capi_checks;

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn requests_of_the_corpus_get_a_decision() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/gate");
    let mut results = BTreeSet::new();
    for file in corpus.read_dir().expect("the corpus") {
        let input = std::fs::read(file.expect("a file").path()).expect("a request");
        for usage in 0..6 {
            // A last header whose value says how a proof is confirmed.
            results.insert(capi_checks::boundary(&[&input, &b"\nX: "[..], &[b'0' + usage]].concat()));
        }
    }
    assert_eq!(results, BTreeSet::from([1, 2, 3]), "allowed, rejected and unconfirmed");
}
