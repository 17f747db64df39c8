//! Replays the corpus of the fuzz target `records`, and changed seeds.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../fuzz/checks/records.rs"]
mod checks;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// The name and content of every seed.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/records");
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("readable"))
    };
    let mut seeds: Vec<_> = std::fs::read_dir(corpus)
        .expect("the corpus exists")
        .map(|entry| read(entry.expect("readable").path()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 20, "only {} inputs", seeds.len());
    seeds
}

#[test]
fn seeds_are_readable_or_not_as_their_names_say() {
    for (name, input) in seeds() {
        assert_eq!(checks::records(&input), name.starts_with("good-"), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn changed_seeds(
        seed in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), "[\",\n\r{}:\\[a1 \u{feff}\\\\]{0,6}"), 1..5),
    ) {
        let seeds = seeds();
        let mut text = seed.get(&seeds).1.clone();
        for (start, length, insert) in changes {
            let start = start.index(text.len() + 1);
            let end = (start + length.index(12)).min(text.len());
            text.splice(start..end, insert.bytes());
        }
        checks::records(&text);
    }

    #[test]
    fn generated_lines(text in "(token|time|a|\"|\"\"|,|,|\n|\r|\n|\r\n| |[\u{feff}\u{0}é]){0,60}") {
        checks::records(format!("token,time\n{text}").as_bytes());
        checks::records(text.as_bytes());
    }
}
