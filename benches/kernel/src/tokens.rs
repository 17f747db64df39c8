//! Whole tokens: verification and its parts, batches, and the parsing of keys.

use std::num::NonZeroUsize;

use watchword_kernel::{
    Algorithm, Audience, Backend, KeySet, Limits, Policy, ProofOfPossession, UnixTime, unverified_names, verify,
    verify_many,
};

use crate::contender::Contender;
use crate::samples::{AUDIENCE, ISSUER, KEY_ID, Sample, Signer, TOKENS, now};

/// The number of tokens of a batch.
const BATCH: usize = 512;

/// The signature alone, the whole verification, and parsing. The difference between the first two is the cost of
/// everything but the signature.
pub(crate) fn parts(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let (samples, limits) = (signer.tokens(TOKENS), Limits::default());
    let (policy, keys) = (policy(), key_set(&signer));
    // The same table.
    let alone = keys.clone();
    for sample in &samples {
        assert!(is_valid(sample, &keys, &policy), "a valid token is rejected");
        assert!(!sample.tampered().iter().any(|bad| is_valid(bad, &keys, &policy)), "an invalid token is accepted");
    }
    vec![
        Contender::over("signature alone", samples.clone(), move |sample| {
            alone.keys()[0].verify(algorithm, &sample.message, &sample.signature)
        }),
        Contender::over("verify", samples.clone(), move |sample| is_valid(sample, &keys, &policy)),
        Contender::over("decode and parse the claims", samples, move |sample| {
            unverified_names(sample.token.as_bytes(), &limits).issuer().is_some()
        }),
    ]
}

/// Many tokens with one key: a call for each, one call for all, and one call on two threads.
pub(crate) fn batch(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let tokens: Vec<String> = signer.tokens(BATCH).into_iter().map(|sample| sample.token).collect();
    let keys = key_set(&signer);
    let alone = keys.clone();
    let one_by_one = Contender::batch("verify, one by one", tokens.clone(), move |tokens| {
        let (policy, now) = (policy(), moment());
        tokens.iter().all(|token| verify(token.as_bytes(), &alone, &policy, now, ProofOfPossession::default()).is_ok())
    });
    let on_threads = |name, threads: usize| {
        let (keys, threads) = (keys.clone(), NonZeroUsize::new(threads).expect("not 0"));
        Contender::batch(name, tokens.clone(), move |tokens| {
            verify_many(tokens, &keys, &policy(), moment(), threads).iter().all(Result::is_ok)
        })
    };
    vec![on_threads("verify_many, 1 thread", 1), on_threads("verify_many, 2 threads", 2), one_by_one]
}

/// Parsing a JWK Set of one key; and building its table, if the key can have one.
pub(crate) fn keys(algorithm: Algorithm) -> Vec<Contender> {
    let document = move || format!(r#"{{"keys":[{}]}}"#, Signer::new(algorithm).jwk());
    let read = |document: &String| KeySet::from_json(document.as_bytes(), Backend::Default).expect("a key set");
    let documents: Vec<String> = (0..TOKENS).map(|_| document()).collect();
    vec![
        Contender::over("read", documents, move |document| read(document).rejected().is_empty()),
        Contender::fresh("prepare", move || read(&document()), |keys: KeySet| keys.prepare() == 1),
    ]
}

pub(crate) fn moment() -> UnixTime {
    UnixTime::new(now() as f64).expect("finite")
}

fn is_valid(sample: &Sample, keys: &KeySet, policy: &Policy) -> bool {
    verify(sample.token.as_bytes(), keys, policy, moment(), ProofOfPossession::default()).is_ok()
}

pub(crate) fn key_set(signer: &Signer) -> KeySet {
    let keys = KeySet::from_der(&signer.spki(), Some(KEY_ID), None, Backend::Default).expect("a good key");
    keys.prepare();
    keys
}

pub(crate) fn policy() -> Policy {
    Policy::default()
        .with_issuers(vec![ISSUER.to_owned()])
        .and_then(|policy| policy.with_audience(Audience::OneOf(vec![AUDIENCE.to_owned()])))
        .expect("a good policy")
}
