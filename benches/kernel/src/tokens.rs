//! Whole tokens: verification, what of it is not the signature, batches, and the reading of keys.

use std::num::NonZeroUsize;

use watchword_kernel::{
    Algorithm, Audience, Backend, KeySet, Limits, Policy, UnixTime, unverified_names,
    verify, verify_many,
};

use crate::contender::Contender;
use crate::samples::{AUDIENCE, ISSUER, KEY_ID, Sample, Signer, TOKENS, now};

/// The tokens of a batch.
const BATCH: usize = 512;

/// The signature alone, the whole verification, and what is parsed in it. The difference between the first two is what
/// everything but the signature takes.
pub(crate) fn parts(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let (samples, limits) = (signer.tokens(TOKENS), Limits::default());
    let (policy, keys) = (policy(), key_set(&signer));
    // The same table.
    let alone = keys.clone();
    for sample in &samples {
        assert!(holds(sample, &keys, &policy), "a good token is refused");
        assert!(!sample.tampered().iter().any(|bad| holds(bad, &keys, &policy)), "a bad token is accepted");
    }
    vec![
        Contender::over("signature alone", samples.clone(), move |sample| {
            alone.keys()[0].verify(algorithm, &sample.message, &sample.signature)
        }),
        Contender::over("verify", samples.clone(), move |sample| holds(sample, &keys, &policy)),
        Contender::over("decode and parse the claims", samples, move |sample| {
            unverified_names(sample.token.as_bytes(), &limits).issuer().is_some()
        }),
    ]
}

/// Many tokens by one key: one call for each of them, one call for all, and that on two threads.
pub(crate) fn batch(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let tokens: Vec<String> = signer.tokens(BATCH).into_iter().map(|sample| sample.token).collect();
    let keys = key_set(&signer);
    let alone = keys.clone();
    let one_by_one = Contender::batch("verify, one by one", tokens.clone(), move |tokens| {
        let (policy, now) = (policy(), moment());
        tokens.iter().all(|token| verify(token.as_bytes(), &alone, &policy, now, None).is_ok())
    });
    let on_threads = |name, threads: usize| {
        let (keys, threads) = (keys.clone(), NonZeroUsize::new(threads).expect("not 0"));
        Contender::batch(name, tokens.clone(), move |tokens| {
            verify_many(tokens, &keys, &policy(), moment(), threads).iter().all(Result::is_ok)
        })
    };
    vec![on_threads("verify_many, 1 thread", 1), on_threads("verify_many, 2 threads", 2), one_by_one]
}

/// A key set of one key read from a JWK Set's text; and, for keys that can have one, its table built.
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

fn holds(sample: &Sample, keys: &KeySet, policy: &Policy) -> bool {
    verify(sample.token.as_bytes(), keys, policy, moment(), None).is_ok()
}

fn key_set(signer: &Signer) -> KeySet {
    let keys = KeySet::from_der(&signer.spki(), Some(KEY_ID), None, Backend::Default).expect("a good key");
    keys.prepare();
    keys
}

fn policy() -> Policy {
    Policy::default()
        .with_issuers(vec![ISSUER.to_owned()])
        .and_then(|policy| policy.with_audience(Audience::OneOf(vec![AUDIENCE.to_owned()])))
        .expect("a good policy")
}
