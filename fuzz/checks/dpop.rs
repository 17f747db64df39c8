//! Properties of arbitrary proofs, URIs and sequences of uses: the bodies of fuzz targets, and of the tests that replay
//! their seeds. Each function panics if a property is violated.

#![allow(dead_code, reason = "each includer uses only some of the items")]

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value as Reference;
use watchword_kernel::dpop::TargetUri;
use watchword_kernel::{
    Algorithm, DpopProof, HOLDER_BYTES, Limits, ProofError, ProofPolicy, ProofRequest, ReplayCache, UnixTime, Use,
    verify_proof,
};

/// The time of verification: 14 November 2023.
const NOW: f64 = 1_700_000_000.0;
const MAX_AGE: f64 = 60.0;
const LEEWAY: f64 = 5.0;
const METHOD: &str = "POST";
const URI: &str = "https://api.example/orders";
const TOKEN: &[u8] = b"the token";
const NONCE: &str = "n-1";

/// RFC 8037 appendix A.1: a published private key, with which any input can be signed.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&SECRET));
static NONCES: LazyLock<Vec<String>> = LazyLock::new(|| vec![NONCE.to_owned()]);
static POLICY: LazyLock<ProofPolicy> = LazyLock::new(|| {
    ProofPolicy::new(Limits::default(), Algorithm::ALL.into_iter().collect(), MAX_AGE, LEEWAY).expect("good")
});

fn now() -> UnixTime {
    UnixTime::new(NOW).expect("finite")
}

fn verdict(proof: &[u8], access_token: Option<&[u8]>, nonces: Option<&[String]>) -> Result<DpopProof, ProofError> {
    let request = ProofRequest { method: METHOD, uri: URI, access_token, expected_jkt: None, nonces };
    verify_proof(proof, &request, &POLICY, now())
}

/// Whether a proof is accepted as it is.
pub(crate) fn is_accepted(proof: &[u8]) -> bool {
    verdict(proof, None, None).is_ok()
}

/// Checks a proof as it is and with a new signature, so that the checks after the signature are reached too.
pub(crate) fn proof(proof: &[u8]) {
    check_proof(proof);
    if let Some(end) = proof.iter().rposition(|&byte| byte == b'.') {
        let (input, _) = proof.split_at(end);
        let signature = BASE64URL_NOPAD.encode(&SIGNING_KEY.sign(input).to_bytes());
        check_proof(&[input, b".", signature.as_bytes()].concat());
    }
}

fn check_proof(proof: &[u8]) {
    let plain = verdict(proof, None, None);
    match &plain {
        Ok(verified) => check_verified(proof, verified),
        Err(error) => {
            check_error(proof, error);
            // With further requirements it is still rejected.
            assert!(verdict(proof, Some(TOKEN), Some(&NONCES)).is_err());
        }
    }
    if let Ok(verified) = verdict(proof, Some(TOKEN), None) {
        assert!(plain.is_ok());
        assert!(verified.access_token_hash().is_some());
    }
    if let Ok(verified) = verdict(proof, None, Some(&NONCES)) {
        assert_eq!(verified.nonce(), Some(NONCE));
    }
}

/// Checks an accepted proof again with another JSON parser.
fn check_verified(proof: &[u8], verified: &DpopProof) {
    let parts: Vec<Vec<u8>> =
        proof.split(|&byte| byte == b'.').map(|part| BASE64URL_NOPAD.decode(part).expect("strict base64url")).collect();
    assert_eq!(parts.len(), 3);
    let [header, claims] = [0, 1].map(|part| serde_json::from_slice::<Reference>(&parts[part]).expect("JSON"));
    let typ = header["typ"].as_str().expect("a string").to_ascii_lowercase();
    assert!(typ == "dpop+jwt" || typ == "application/dpop+jwt");
    assert_eq!(header["alg"], verified.algorithm().name());
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let jwk = header["jwk"].as_object().expect("an object");
    assert!(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|name| !jwk.contains_key(*name)));
    assert_eq!(serde_json::from_str::<Reference>(verified.jwk()).expect("JSON"), header["jwk"]);
    assert_eq!(verified.jkt().len(), 43);
    assert_eq!(claims["htm"], METHOD);
    assert_eq!(claims["jti"], verified.token_id());
    assert!(!verified.token_id().is_empty());
    assert_eq!(claims["htu"], verified.uri());
    assert_eq!(TargetUri::parse(verified.uri()), TargetUri::parse(URI));
    let iat = claims["iat"].as_f64().expect("a number");
    assert!((NOW - MAX_AGE..=NOW + LEEWAY).contains(&iat));
    assert!(verified.expires_at() >= NOW);
    let shown = format!("{verified:?}");
    assert!(!shown.contains(verified.jkt()));
}

fn check_error(proof: &[u8], error: &ProofError) {
    let message = error.to_string();
    assert!(error.code().starts_with("dpop_"));
    assert!(message.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{message:?}");
    assert!(message.len() < 256);
    for part in proof.split(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) {
        let part = std::str::from_utf8(part).expect("ASCII");
        assert!(part.len() < 24 || !message.contains(part), "{message:?} contains a part of the proof");
    }
}

/// A URI by itself and after valid prefixes: its normal form is unique, and normalising it again changes nothing.
pub(crate) fn uri(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for uri in [
        text.to_string(),
        format!("https://{text}"),
        format!("https://api.example{text}"),
        format!("http://api.example:{text}"),
        format!("https://api.example/{text}"),
    ] {
        check_uri(&uri);
    }
}

/// Whether this is a valid request URI.
pub(crate) fn is_uri(input: &[u8]) -> bool {
    std::str::from_utf8(input).is_ok_and(|text| TargetUri::parse(text).is_ok())
}

fn check_uri(uri: &str) {
    let Ok(target) = TargetUri::parse(uri) else { return };
    let normal = target.as_str();
    assert!(normal.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{normal:?}");
    assert!(!normal.contains(['?', '#', '@']) || !normal.split_at(8).1.split('/').next().unwrap_or("@").contains('@'));
    assert!(!normal.contains(['?', '#', '\\', '|', '"', '<', '>']));
    assert_eq!(TargetUri::parse(normal).as_ref(), Ok(&target));
    let (_, rest) = normal.split_once("://").expect("a scheme");
    let (authority, path) = rest.split_once('/').expect("a path");
    assert!(!authority.is_empty());
    assert_eq!(authority.to_ascii_lowercase(), authority);
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
    // Query and fragment are ignored.
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let (before, _) = uri.split_at(end);
    for tail in ["", "?", "#", "?a=%zz\u{0}#b?c"] {
        assert_eq!(TargetUri::parse(&format!("{before}{tail}")).as_ref(), Ok(&target));
    }
}

/// A sequence of uses, four bytes each: an id (its two upper bits are the holder), its lifetime, a step of the clock,
/// and the number of uses. The expected answers are those of a plain map with the same bounds that evicts nothing.
pub(crate) fn replay(input: &[u8]) {
    const CAPACITY: usize = 8;
    const SHARE: usize = 3;
    /// The lifetimes that two verifiers announce; ids are used when only a part of their lifetime is left.
    const LIFETIMES: [f64; 2] = [8.0, 40.0];
    const EXTENSION: f64 = LIFETIMES[1] - LIFETIMES[0];
    let count = |number| NonZeroUsize::new(number).expect("positive");
    let cache = ReplayCache::new(count(CAPACITY), count(SHARE));
    for lifetime in LIFETIMES {
        cache.retain_for(lifetime);
    }
    let mut model: HashMap<u8, f64> = HashMap::new();
    let (mut now, mut latest) = (NOW, f64::NEG_INFINITY);
    for step in input.chunks_exact(4) {
        // Every fourth step may go back: the clock was set, or the caller passes its own time.
        let change = f64::from(step[2]) / 16.0;
        now += if step[3] & 0xc0 == 0xc0 { -10.0 * change } else { change };
        latest = latest.max(now);
        let mut id = [step[0]; 32];
        id[..HOLDER_BYTES].fill(step[0] >> 6);
        let expires_at = now + f64::from(step[1]) / 8.0;
        for _ in 0..=step[3] % 3 {
            let answer = cache.consume(&id, expires_at, UnixTime::new(now).expect("finite"));
            let is_remembered = |until: f64| latest <= until + EXTENSION;
            let live = || model.iter().filter(|(_, until)| is_remembered(**until));
            let is_live = model.get(&step[0]).is_some_and(|until| is_remembered(*until));
            let of_holder = live().filter(|(other, _)| **other >> 6 == step[0] >> 6).count();
            match answer {
                Use::Again => assert!(is_live),
                Use::Expired => assert!(!is_live && expires_at < latest),
                Use::First => {
                    assert!(!is_live && expires_at >= latest && of_holder < SHARE && live().count() < CAPACITY);
                    model.insert(step[0], expires_at);
                }
                // Ids that expired within the last second may still be counted.
                Use::ShareFull => assert!(!is_live && cache.len() >= SHARE),
                Use::Full => assert!(!is_live && cache.len() == CAPACITY),
            }
            let remembered = model.values().filter(|until| is_remembered(**until)).count();
            assert!(cache.len() >= remembered && cache.len() <= CAPACITY);
        }
    }
}
