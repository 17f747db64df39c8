//! Replays the seeds of the fuzz targets, and whatever a fuzzer has added to them, on a stable toolchain.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/mod.rs"]
mod checks;

use std::panic::catch_unwind;
use std::path::PathBuf;

use proptest::prelude::*;

/// Runs `check` on every file of a corpus, then names those that failed.
fn replay(target: &str, at_least: usize, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= at_least, "{} seeds", files.len());
    let failed: Vec<&PathBuf> = files
        .iter()
        .filter(|file| {
            let input = std::fs::read(file).unwrap();
            catch_unwind(|| check(&input)).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn verify() {
    replay("verify", 60, checks::verify);
}

#[test]
fn keys() {
    replay("jwk", 40, checks::keys);
}

#[test]
fn json() {
    replay("json", 40, checks::json);
}

#[test]
fn signatures() {
    replay("signatures", 20, checks::signatures);
}

proptest! {
    /// Single signatures, changed anyhow: every way of verifying and other people's code say the same.
    #[test]
    fn any_signature(which: u8, what: u8, change in prop::collection::vec(any::<u8>(), 0..80), zeros in 0..256_usize) {
        let input = [&[which, what], &vec![0; zeros][..], &change].concat();
        checks::signatures(&input);
    }
}

/// The seeds named good are accepted, and those named bad are rejected.
#[test]
fn seeds_have_the_right_names() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for entry in std::fs::read_dir(folder.join("verify")).unwrap() {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        let accepted = checks::is_accepted(&std::fs::read(file.path()).unwrap());
        if name.starts_with("good-") {
            assert!(accepted, "{name}");
        }
        if name.starts_with("bad-") {
            assert!(!accepted, "{name}");
        }
    }
    for entry in std::fs::read_dir(folder.join("json")).unwrap() {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        let document = std::fs::read(file.path()).unwrap();
        // A fuzzer names its finds by their hash.
        if name.contains('-') {
            assert_eq!(watchword_kernel::json::Object::parse(&document).is_err(), name.starts_with("bad-"), "{name}");
        }
    }
}
