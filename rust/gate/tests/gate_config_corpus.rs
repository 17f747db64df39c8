//! Replays the corpus of the fuzz target `gate_config`, and changed seeds.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/gate_config.rs"]
mod checks;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// The name and content of every seed.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/gate_config");
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("readable"))
    };
    let mut seeds: Vec<_> = std::fs::read_dir(corpus)
        .expect("the corpus exists")
        .map(|entry| read(entry.expect("readable").path()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 10, "only {} inputs", seeds.len());
    seeds
}

#[test]
fn seeds_are_valid_or_invalid_as_their_names_say() {
    for (name, input) in seeds() {
        assert_eq!(checks::gate_config(&input), name.starts_with("good-"), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_seeds(
        seed in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), "[\\[\\]{}=\"'a-z0-9.\n é,#]{0,3}"), 1..4),
    ) {
        let seeds = seeds();
        let mut text: Vec<char> = String::from_utf8_lossy(&seed.get(&seeds).1).chars().collect();
        for (start, length, insert) in changes {
            let start = start.index(text.len() + 1);
            let end = (start + length.index(12)).min(text.len());
            text.splice(start..end, insert.chars());
        }
        checks::gate_config(text.into_iter().collect::<String>().as_bytes());
    }
}
