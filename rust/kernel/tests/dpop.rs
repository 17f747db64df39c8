//! Proofs and their memory: the examples of RFC 9449, and one use each among many threads.

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
    Algorithm, Limits, ProofPolicy, ProofRequest, ReplayCache, ReplayId, UnixTime, Use, verify_proof,
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
        // Every single byte of it counts, whatever becomes of it.
        for index in 0..proof.len() {
            let mut changed = proof.as_bytes().to_vec();
            changed[index] ^= 1;
            assert!(verify_proof(&changed, &request, &policy(), at(issued_at)).is_err(), "byte {index}");
        }
    }
}

fn id(number: usize) -> ReplayId {
    // Spread over the shards, as hashes are.
    let mut id = [0; 32];
    for (place, byte) in id.iter_mut().zip(number.wrapping_mul(0x9e37_79b9).to_le_bytes()) {
        *place = byte;
    }
    id[8..16].copy_from_slice(&number.to_le_bytes());
    id
}

#[test]
fn of_100_000_concurrent_uses_exactly_one_of_each_is_the_first() {
    const IDS: usize = 12_500;
    const THREADS: usize = 8;
    let cache = ReplayCache::new(NonZeroUsize::new(IDS).unwrap());
    let firsts: Vec<AtomicUsize> = (0..IDS).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, firsts) = (&cache, &firsts);
            scope.spawn(move || {
                for step in 0..IDS {
                    // Half of the threads go the other way.
                    let number = if thread % 2 == 0 { step } else { IDS - 1 - step };
                    match cache.consume(&id(number), common::NOW + 65.0, common::now()) {
                        Use::First => firsts[number].fetch_add(1, Ordering::Relaxed),
                        Use::Again => 0,
                        Use::Full => panic!("there is room for all"),
                    };
                }
            });
        }
    });
    assert!(firsts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    assert_eq!(cache.len(), IDS);
    assert_eq!(cache.consume(&id(IDS), common::NOW + 65.0, common::now()), Use::Full);
    // When they have expired, there is room for as many again.
    for number in IDS..2 * IDS {
        assert_eq!(cache.consume(&id(number), common::NOW + 165.0, at(common::NOW + 66.0)), Use::First);
    }
    assert_eq!(cache.len(), IDS);
    assert_eq!(cache.consume(&id(0), common::NOW + 165.0, at(common::NOW + 66.0)), Use::Full);
}
