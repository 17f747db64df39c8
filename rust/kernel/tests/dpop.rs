//! DPoP proofs and the replay cache: the examples of RFC 9449, and exactly one use of each id among many threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use watchword_kernel::{
    Algorithm, HOLDER_BYTES, Limits, ProofPolicy, ProofRequest, ReplayCache, ReplayId, UnixTime, Use, verify_proof,
};

fn policy() -> ProofPolicy {
    ProofPolicy::new(Limits::default(), Algorithm::ALL.into_iter().collect(), 60.0, 5.0).unwrap()
}

fn at(seconds: f64) -> UnixTime {
    UnixTime::new(seconds).unwrap()
}

#[test]
fn the_examples_of_rfc_9449() {
    let Some(text) = common::vectors("rfc/rfc9449.json") else { return };
    let rfc: serde_json::Value = serde_json::from_str(&text).unwrap();
    let access_token = rfc["access_token"].as_str().unwrap().as_bytes();
    let jkt = rfc["jkt"].as_str().unwrap();
    for example in rfc["proofs"].as_array().unwrap() {
        let (proof, claims) = (example["proof"].as_str().unwrap(), &example["claims"]);
        let request = ProofRequest {
            method: claims["htm"].as_str().unwrap(),
            uri: claims["htu"].as_str().unwrap(),
            access_token: claims.get("ath").map(|_| access_token),
            expected_jkt: Some(jkt),
            nonces: None,
        };
        let issued_at = claims["iat"].as_f64().unwrap();
        let verified = verify_proof(proof.as_bytes(), &request, &policy(), at(issued_at)).unwrap();
        assert_eq!(verified.jkt(), jkt);
        assert_eq!(verified.token_id(), claims["jti"].as_str().unwrap());
        assert_eq!(verified.access_token_hash(), claims["ath"].as_str());
        let late = verify_proof(proof.as_bytes(), &request, &policy(), at(issued_at + 61.0)).unwrap_err();
        assert_eq!(late.code(), "dpop_expired");
        // Every byte matters: no changed proof is valid.
        for index in 0..proof.len() {
            let mut changed = proof.as_bytes().to_vec();
            changed[index] ^= 1;
            assert!(verify_proof(&changed, &request, &policy(), at(issued_at)).is_err(), "byte {index}");
        }
    }
}

/// Ids of different holders.
fn id(number: usize) -> ReplayId {
    id_of(number, 0)
}

fn id_of(holder: usize, number: usize) -> ReplayId {
    // Spread over the shards, as hashes are.
    let mut id = [0; 32];
    for (place, byte) in id.iter_mut().zip(holder.wrapping_mul(0x9e37_79b9).to_le_bytes()) {
        *place = byte;
    }
    id[8..16].copy_from_slice(&holder.to_le_bytes());
    id[HOLDER_BYTES..][..8].copy_from_slice(&number.to_le_bytes());
    id
}

fn cache(capacity: usize, share: usize) -> ReplayCache {
    ReplayCache::new(NonZeroUsize::new(capacity).unwrap(), NonZeroUsize::new(share).unwrap())
}

/// A holder that fills its share does not affect the others.
#[test]
fn no_holder_exceeds_its_share() {
    let (greedy, modest) = (1, 2);
    let cache = cache(64, 8);
    for number in 0..8 {
        assert_eq!(cache.consume(&id_of(greedy, number), common::NOW + 65.0, common::now()), Use::First);
    }
    for number in 8..1000 {
        assert_eq!(cache.consume(&id_of(greedy, number), common::NOW + 65.0, common::now()), Use::ShareFull);
    }
    assert_eq!(cache.consume(&id_of(greedy, 0), common::NOW + 65.0, common::now()), Use::Again);
    assert_eq!(cache.len(), 8);
    assert_eq!(cache.consume(&id_of(modest, 0), common::NOW + 65.0, common::now()), Use::First);
    // Expired ids free their room.
    for number in 0..8 {
        assert_eq!(cache.consume(&id_of(greedy, number), common::NOW + 165.0, at(common::NOW + 66.0)), Use::First);
    }
    assert_eq!(cache.consume(&id_of(greedy, 8), common::NOW + 165.0, at(common::NOW + 66.0)), Use::ShareFull);
}

#[test]
fn shares_are_exact_among_many_threads() {
    const THREADS: usize = 8;
    let cache = cache(4096, 100);
    let firsts: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, firsts) = (&cache, &firsts);
            scope.spawn(move || {
                for number in 0..400 {
                    for (holder, count) in firsts.iter().enumerate() {
                        let id = id_of(holder, number * THREADS + thread);
                        if cache.consume(&id, common::NOW + 65.0, common::now()) == Use::First {
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    assert!(firsts.iter().all(|count| count.load(Ordering::Relaxed) == 100));
    assert_eq!(cache.len(), 400);
}

/// A clock that is set back, or a caller that passes an earlier moment.
#[test]
fn no_moment_makes_a_removed_id_valid_again() {
    let cache = cache(64, 64);
    assert_eq!(cache.consume(&id_of(1, 0), common::NOW + 65.0, common::now()), Use::First);
    // The same shard, which removes the first id now.
    assert_eq!(cache.consume(&id_of(1, 1), common::NOW + 165.0, at(common::NOW + 100.0)), Use::First);
    assert_eq!(cache.len(), 1);
    for moment in [common::NOW, common::NOW + 65.0, common::NOW - 1e6] {
        assert_eq!(cache.consume(&id_of(1, 0), common::NOW + 65.0, at(moment)), Use::Expired);
    }
    // An id that cannot have been removed is accepted at any moment, once.
    assert_eq!(cache.consume(&id_of(1, 2), common::NOW + 165.0, common::now()), Use::First);
    assert_eq!(cache.consume(&id_of(1, 2), common::NOW + 165.0, common::now()), Use::Again);
    assert_eq!(cache.consume(&id_of(1, 1), common::NOW + 165.0, at(common::NOW - 100.0)), Use::Again);
}

#[test]
fn the_longest_lifetime_decides_how_long_an_id_is_kept() {
    let (short, long) = (15.0, 305.0);
    for announced_first in [true, false] {
        let cache = cache(64, 64);
        cache.retain_for(short);
        if announced_first {
            cache.retain_for(long);
        }
        assert_eq!(cache.consume(&id_of(1, 0), common::NOW + short, common::now()), Use::First);
        assert_eq!(cache.consume(&id_of(1, 1), common::NOW + 100.0 + short, at(common::NOW + 100.0)), Use::First);
        cache.retain_for(long);
        // Still known, or known to have been removed.
        let expected = if announced_first { Use::Again } else { Use::Expired };
        assert_eq!(cache.consume(&id_of(1, 0), common::NOW + long, at(common::NOW + 100.0)), expected);
        // For a caller with the long lifetime, an id that was created before the announcements is acceptable.
        let other = cache.consume(&id_of(1, 2), common::NOW + long, at(common::NOW + 100.0));
        assert_eq!(other, if announced_first { Use::First } else { Use::Expired });
        assert_eq!(cache.consume(&id_of(1, 1), common::NOW + 100.0 + long, at(common::NOW + 400.0)), Use::Again);
        assert_eq!(cache.consume(&id_of(1, 1), common::NOW + 100.0 + long, at(common::NOW + 405.0)), Use::Again);
    }
}

#[test]
fn of_100_000_concurrent_uses_exactly_one_of_each_is_the_first() {
    const IDS: usize = 12_500;
    const THREADS: usize = 8;
    let cache = cache(IDS, IDS);
    let firsts: Vec<AtomicUsize> = (0..IDS).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, firsts) = (&cache, &firsts);
            scope.spawn(move || {
                for step in 0..IDS {
                    // Half of the threads go in the opposite direction.
                    let number = if thread % 2 == 0 { step } else { IDS - 1 - step };
                    match cache.consume(&id(number), common::NOW + 65.0, common::now()) {
                        Use::First => firsts[number].fetch_add(1, Ordering::Relaxed),
                        Use::Again => 0,
                        rejected => panic!("there must be room for all: {rejected:?}"),
                    };
                }
            });
        }
    });
    assert!(firsts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    assert_eq!(cache.len(), IDS);
    assert_eq!(cache.consume(&id(IDS), common::NOW + 65.0, common::now()), Use::Full);
    // After they have expired, there is room for as many again.
    for number in IDS..2 * IDS {
        assert_eq!(cache.consume(&id(number), common::NOW + 165.0, at(common::NOW + 66.0)), Use::First);
    }
    assert_eq!(cache.len(), IDS);
    assert_eq!(cache.consume(&id(0), common::NOW + 165.0, at(common::NOW + 66.0)), Use::Full);
}
