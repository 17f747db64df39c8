//! Replays the seeds of the fuzz target for the gate on a stable toolchain, and changed seeds and arbitrary requests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/gate.rs"]
mod gate_checks;

use std::panic::catch_unwind;
use std::path::PathBuf;

use proptest::prelude::*;

/// The name and content of every seed.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/gate");
    let seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    assert!(seeds.len() >= 50, "{} seeds", seeds.len());
    seeds
}

#[test]
fn every_seed_fulfils_the_properties() {
    let failed: Vec<String> = seeds()
        .into_iter()
        .filter(|(_, input)| catch_unwind(|| gate_checks::gate(input)).is_err())
        .map(|(name, _)| name)
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn seeds_are_allowed_or_rejected_as_their_names_say() {
    for (name, input) in seeds() {
        assert_eq!(gate_checks::is_allowed(&input), name.starts_with("good-"), "{name}");
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("{token}"),
        Just("{bound}"),
        Just("{proof}"),
        Just("Bearer "),
        Just("DPoP "),
        Just("/orders/"),
        Just("1"),
        Just("/"),
        Just("%2e"),
        Just("?access_token="),
        Just("X_Auth-Sub"),
        Just(": "),
        Just("\n"),
        Just("Authorization"),
        Just("DPoP"),
        Just("X-Forwarded-Host"),
        Just("X-Client-Cert"),
        Just(","),
        Just(" "),
        Just("Connection"),
    ];
    let piece = prop_oneof![
        8 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_requests(input in prop::collection::vec(any::<u8>(), 0..200)) {
        gate_checks::gate(&input);
    }

    #[test]
    fn requests_of_likely_words(input in text()) {
        gate_checks::gate(&input);
    }

    #[test]
    fn changed_seeds(index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), piece in text()) {
        let seeds = seeds();
        let mut input = seeds[index.index(seeds.len())].1.clone();
        let at = at.index(input.len() + 1);
        let end = (at + piece.len() % 3).min(input.len());
        input.splice(at..end, piece);
        gate_checks::gate(&input);
    }
}
