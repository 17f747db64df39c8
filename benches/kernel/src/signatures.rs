//! Signatures alone: the hash of the message and the equation, by a key that is parsed, or by its bytes.

use aws_lc_rs::signature as aws;
use ed25519_dalek as dalek;
use p256::ecdsa as p256_ecdsa;
use p256::ecdsa::signature::Verifier as _;
use ring::signature as ring;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest as _, Sha256};
use watchword_kernel::{Algorithm, Backend, KeySet, Prepare, PublicKey};

use crate::contender::Contender;
use crate::samples::{Sample, Signer, TOKENS};

/// By a key that was parsed beforehand, and for which Watchword has a table.
pub(crate) fn prepared(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let keys = KeySet::from_der(&signer.spki(), None, None, Backend::Default).expect("a good key");
    keys.prepare();
    let parsed = aws::ParsedPublicKey::new(aws_algorithm(algorithm), signer.raw()).expect("a good key");
    let raw = signer.raw();
    let mut contenders = vec![
        verifier("Watchword", &signer, move |sample| {
            keys.keys()[0].verify(algorithm, &sample.message, &sample.signature)
        }),
        verifier("aws-lc-rs ParsedPublicKey", &signer, move |sample| {
            parsed.verify_sig(&sample.message, &sample.signature).is_ok()
        }),
        ring_unparsed(&signer, algorithm),
    ];
    match algorithm {
        Algorithm::EdDsa => {
            let key = dalek_key(&raw);
            contenders.push(verifier("ed25519-dalek verify_strict", &signer, move |sample| dalek_holds(&key, sample)));
        }
        Algorithm::Es256 => {
            let key = p256_key(&raw);
            contenders.push(verifier("p256", &signer, move |sample| p256_holds(&key, sample)));
        }
        _ => {
            let key = RsaPublicKey::from_pkcs1_der(&raw).expect("a good key");
            contenders.push(verifier("rsa 0.9", &signer, move |sample| rsa_holds(&key, algorithm, sample)));
        }
    }
    contenders
}

/// By a key of which nothing is known but its bytes: each verification parses it anew.
pub(crate) fn cold(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let (spki, raw, raw_again) = (signer.spki(), signer.raw(), signer.raw());
    let parsed = PublicKey::from_der(&spki, None, None, Prepare::Never).expect("a good key");
    let unparsed = aws::UnparsedPublicKey::new(aws_algorithm(algorithm), raw.clone());
    let mut contenders = vec![
        verifier("Watchword, from the key's bytes", &signer, move |sample| {
            PublicKey::from_der(&spki, None, None, Prepare::Never)
                .is_ok_and(|key| key.verify(algorithm, &sample.message, &sample.signature))
        }),
        verifier("Watchword, no table", &signer, move |sample| {
            parsed.verify(algorithm, &sample.message, &sample.signature)
        }),
        verifier("aws-lc-rs UnparsedPublicKey", &signer, move |sample| {
            unparsed.verify(&sample.message, &sample.signature).is_ok()
        }),
        ring_unparsed(&signer, algorithm),
    ];
    match algorithm {
        Algorithm::EdDsa => contenders.push(verifier("ed25519-dalek verify_strict", &signer, move |sample| {
            dalek_holds(&dalek_key(&raw_again), sample)
        })),
        Algorithm::Es256 => {
            contenders.push(verifier("p256", &signer, move |sample| p256_holds(&p256_key(&raw_again), sample)))
        }
        _ => contenders.push(verifier("rsa 0.9", &signer, move |sample| {
            rsa_holds(&RsaPublicKey::from_pkcs1_der(&raw_again).expect("a good key"), algorithm, sample)
        })),
    }
    contenders
}

/// One who accepts every token of the signer and refuses each of them once it was tampered with: else it is no rival.
fn verifier(name: &'static str, signer: &Signer, verify: impl Fn(&Sample) -> bool + 'static) -> Contender {
    let samples = signer.tokens(TOKENS);
    for sample in &samples {
        assert!(verify(sample), "{name} refuses a good signature");
        assert!(!sample.tampered().iter().any(&verify), "{name} accepts a bad signature");
    }
    Contender::over(name, samples, verify)
}

fn ring_unparsed(signer: &Signer, algorithm: Algorithm) -> Contender {
    let key = ring::UnparsedPublicKey::new(ring_algorithm(algorithm), signer.raw());
    verifier("ring UnparsedPublicKey", signer, move |sample| key.verify(&sample.message, &sample.signature).is_ok())
}

fn aws_algorithm(algorithm: Algorithm) -> &'static dyn aws::VerificationAlgorithm {
    match algorithm {
        Algorithm::EdDsa => &aws::ED25519,
        Algorithm::Es256 => &aws::ECDSA_P256_SHA256_FIXED,
        Algorithm::Ps256 => &aws::RSA_PSS_2048_8192_SHA256,
        _ => &aws::RSA_PKCS1_2048_8192_SHA256,
    }
}

fn ring_algorithm(algorithm: Algorithm) -> &'static dyn ring::VerificationAlgorithm {
    match algorithm {
        Algorithm::EdDsa => &ring::ED25519,
        Algorithm::Es256 => &ring::ECDSA_P256_SHA256_FIXED,
        Algorithm::Ps256 => &ring::RSA_PSS_2048_8192_SHA256,
        _ => &ring::RSA_PKCS1_2048_8192_SHA256,
    }
}

fn dalek_key(raw: &[u8]) -> dalek::VerifyingKey {
    dalek::VerifyingKey::try_from(raw).expect("a good key")
}

fn dalek_holds(key: &dalek::VerifyingKey, sample: &Sample) -> bool {
    dalek::Signature::from_slice(&sample.signature)
        .is_ok_and(|signature| key.verify_strict(&sample.message, &signature).is_ok())
}

fn p256_key(raw: &[u8]) -> p256_ecdsa::VerifyingKey {
    p256_ecdsa::VerifyingKey::from_sec1_bytes(raw).expect("a good key")
}

fn p256_holds(key: &p256_ecdsa::VerifyingKey, sample: &Sample) -> bool {
    p256_ecdsa::Signature::from_slice(&sample.signature)
        .is_ok_and(|signature| key.verify(&sample.message, &signature).is_ok())
}

fn rsa_holds(key: &RsaPublicKey, algorithm: Algorithm, sample: &Sample) -> bool {
    let digest = Sha256::digest(&sample.message);
    match algorithm {
        Algorithm::Ps256 => key.verify(Pss::new::<Sha256>(), &digest, &sample.signature).is_ok(),
        _ => key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &sample.signature).is_ok(),
    }
}
