//! Replays the seeds of the DPoP fuzz targets on a stable toolchain, and changed seeds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/dpop.rs"]
mod dpop_checks;

use std::panic::catch_unwind;
use std::path::PathBuf;

/// Panics if an input violates a property.
type Check = fn(&[u8]);
/// Whether an input is valid.
type IsValid = fn(&[u8]) -> bool;

/// The name and content of every seed of a target.
fn seeds(target: &str, at_least: usize) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    assert!(seeds.len() >= at_least, "{} seeds", seeds.len());
    seeds
}

fn replay(target: &str, at_least: usize, check: Check) {
    let seeds = seeds(target, at_least);
    let failed: Vec<&String> =
        seeds.iter().filter(|(_, input)| catch_unwind(|| check(input)).is_err()).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn proofs() {
    replay("dpop_proof", 30, dpop_checks::proof);
}

#[test]
fn uris() {
    replay("dpop_uri", 30, dpop_checks::uri);
}

#[test]
fn uses() {
    replay("dpop_replay", 4, dpop_checks::replay);
}

/// Seeds named `good-…` are accepted, and those named `bad-…` are not.
#[test]
fn seeds_have_the_right_names() {
    let targets: [(&str, IsValid); 2] = [("dpop_proof", dpop_checks::is_accepted), ("dpop_uri", dpop_checks::is_uri)];
    for (target, is_valid) in targets {
        for (name, input) in seeds(target, 1) {
            if name.starts_with("good-") || name.starts_with("bad-") {
                assert_eq!(is_valid(&input), name.starts_with("good-"), "{target}/{name}");
            }
        }
    }
}

/// Seeds with a few bytes changed, the same ones each time, as a fuzzer tries first.
#[test]
fn changed_seeds() {
    let targets: [(&str, Check); 3] =
        [("dpop_proof", dpop_checks::proof), ("dpop_uri", dpop_checks::uri), ("dpop_replay", dpop_checks::replay)];
    let mut state = 9449_u64;
    let mut random = |below: usize| {
        // Knuth's MMIX generator; its upper bits are the random ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let marks: &[u8] = b"%./:?#@[]-_,=\\\"{}0aZ \x00\xff\xc3\xbc";
    for (target, check) in targets {
        for (_, seed) in seeds(target, 1) {
            for _ in 0..20 {
                let mut input = seed.clone();
                for _ in 0..=random(3) {
                    let (at, mark) = (random(input.len() + 1), marks[random(marks.len())]);
                    match random(3) {
                        0 => input.insert(at, mark),
                        1 if at < input.len() => input[at] = mark,
                        _ => input.truncate(at.max(1)),
                    }
                }
                check(&input);
            }
        }
    }
}
