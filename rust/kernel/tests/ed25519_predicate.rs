//! One Ed25519 predicate everywhere: `verify_strict` of ed25519-dalek, on all backends, over the vectors that were made
//! to tell the predicates of implementations apart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY_OPTIONS, agreed, base64url, holds, vectors};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use watchword_kernel::{Algorithm, KeyOptions, KeySet};

fn key_set(point: &[u8], options: KeyOptions) -> KeySet {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(point));
    let keys = KeySet::from_json(jwk.as_bytes(), options).unwrap();
    keys.prepare();
    keys
}

/// Whether the key is taken and the signature holds; all ways must agree, and the names of the algorithm too.
fn accepts(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let names = [Algorithm::EdDsa, Algorithm::Ed25519];
    agreed(KEY_OPTIONS.into_iter().flat_map(|options| {
        let keys = key_set(point, options);
        names.map(|name| keys.keys().first().is_some_and(|key| holds(key, name, message, signature)))
    }))
}

fn dalek_accepts(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let signature = Signature::from_slice(signature).unwrap();
    VerifyingKey::from_bytes(point.try_into().unwrap()).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// A case of C2SP's CCTV: every combination of torsion components and non-canonical encodings.
#[derive(Deserialize)]
struct CctvCase {
    number: usize,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

#[test]
fn cctv() {
    let Some(text) = vectors("cctv-ed25519/ed25519vectors.json") else { return };
    let cases: Vec<CctvCase> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 914);
    let mut accepted = 0;
    for case in cases {
        let (point, signature) = (HEX.decode(case.key.as_bytes()).unwrap(), HEX.decode(case.sig.as_bytes()).unwrap());
        let verdict = accepts(&point, case.msg.as_bytes(), &signature);
        assert_eq!(verdict, dalek_accepts(&point, case.msg.as_bytes(), &signature), "case {}", case.number);
        let flags = case.flags.unwrap_or_default();
        let has = |flag: &str| flags.iter().any(|one| one == flag);
        if ["low_order_A", "low_order_R", "low_order_residue", "non_canonical_A", "non_canonical_R"]
            .into_iter()
            .any(has)
        {
            assert!(!verdict, "case {} {flags:?}", case.number);
        }
        accepted += usize::from(verdict);
    }
    assert_eq!(accepted, 43);
}

/// A case of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020).
#[derive(Deserialize)]
struct SpeccheckCase {
    message: String,
    pub_key: String,
    signature: String,
}

#[test]
fn speccheck() {
    let Some(text) = vectors("ed25519-speccheck/cases.json") else { return };
    let cases: Vec<SpeccheckCase> = serde_json::from_str(&text).unwrap();
    let verdicts: Vec<bool> = cases
        .iter()
        .map(|case| {
            let [point, message, signature] =
                [&case.pub_key, &case.message, &case.signature].map(|text| HEX.decode(text.as_bytes()).unwrap());
            let verdict = accepts(&point, &message, &signature);
            assert_eq!(verdict, dalek_accepts(&point, &message, &signature));
            verdict
        })
        .collect();
    let mut only_the_fourth = [false; 12];
    only_the_fourth[3] = true;
    assert_eq!(verdicts, only_the_fourth);
}

/// Keys: the eight points of small order, the non-canonical encodings, and points off the curve, each by its name.
#[test]
fn keys_that_are_never_taken() {
    let defect = |text: &str| {
        let point = HEX.decode(text.as_bytes()).unwrap();
        agreed(KEY_OPTIONS.map(|options| key_set(&point, options).rejected()[0].defect.code()))
    };
    for small in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        // x = 0 with the sign bit set, which RFC 8032 section 5.1.3 refuses as an encoding; y = 1 and y = -1 all the same.
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        assert_eq!(defect(small), "small_order_point", "{small}");
    }
    // y = p, p + 1, and 2^255 - 1, with and without the sign bit.
    for lowest in ["ed", "ee", "ff"] {
        for highest in ["7f", "ff"] {
            let text = format!("{lowest}{}{highest}", "ff".repeat(30));
            assert_eq!(defect(&text), "non_canonical_point", "{text}");
        }
    }
    assert_eq!(defect("0200000000000000000000000000000000000000000000000000000000000000"), "point_not_on_curve");
    assert_eq!(defect("01"), "malformed");
    assert_eq!(defect(&"01".repeat(33)), "malformed");
}

/// Cases 2 and 3 of speccheck, typed in so that something is always checked: an R of small order, which the equation
/// alone accepts, and an A and R with a component of small order, which is accepted.
#[test]
fn typed_in() {
    let hex = |text: &str| HEX.decode(text.as_bytes()).unwrap();
    let point = hex("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43");
    let message = hex("aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab");
    let signature = hex(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    );
    let key = VerifyingKey::from_bytes(point.as_slice().try_into().unwrap()).unwrap();
    let by_equation = ed25519_dalek::Verifier::verify(&key, &message, &Signature::from_slice(&signature).unwrap());
    assert!(by_equation.is_ok(), "without the check of R it would be accepted");
    assert!(!accepts(&point, &message, &signature));

    let point = hex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d");
    let message = hex("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79");
    let signature = hex(
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    );
    assert!(accepts(&point, &message, &signature));
}
