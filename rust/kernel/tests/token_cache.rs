//! The cache of verified tokens: what a hit may decide, and what must be checked again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;

use common::{CLAIMS, NOW, SIGNERS, base64url, key_set, lax, signer, strict};
use proptest::prelude::*;
use watchword_kernel::{
    Algorithm, Backend, CacheLookup, CacheStats, KeySet, Policy, Prepare, ProofOfPossession, TokenCache, UnixTime,
    VerifiedToken, verify,
};

const MANY: u64 = 1 << 20;

struct Gateway {
    cache: TokenCache,
    keys: Arc<KeySet>,
    policy: Arc<Policy>,
}

impl Gateway {
    fn new() -> Self {
        Self { cache: TokenCache::new(MANY), keys: Arc::new(key_set(Backend::Default)), policy: Arc::new(strict()) }
    }

    fn lookup<'a>(&'a self, token: &'a str, now: f64) -> CacheLookup<'a> {
        let now = UnixTime::new(now).unwrap();
        CacheLookup { token: token.as_bytes(), keys: &self.keys, policy: &self.policy, now }
    }

    fn at(&self, token: &str, now: f64) -> Result<Arc<VerifiedToken>, &'static str> {
        common::verify_cached(&self.cache, self.lookup(token, now)).map_err(|error| error.code())
    }

    fn counts(&self) -> (u64, u64) {
        let CacheStats { hits, misses, .. } = self.cache.stats();
        (hits, misses)
    }
}

fn token() -> String {
    let signer = signer(Algorithm::EdDsa);
    signer.token(signer.header(), CLAIMS)
}

#[test]
fn the_same_token_is_found() {
    let gateway = Gateway::new();
    let first = gateway.at(&token(), NOW).unwrap();
    let second = gateway.at(&token(), NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(gateway.counts(), (1, 1));
    gateway.cache.clear();
    gateway.at(&token(), NOW).unwrap();
    assert_eq!(gateway.counts(), (1, 2));
}

#[test]
fn times_are_checked_at_every_hit() {
    let gateway = Gateway::new();
    // The token of CLAIMS: issued ten seconds before, valid for a minute; the leeway is five seconds.
    for (at, verdict) in [
        (NOW, None),
        (NOW + 64.0, None),
        (NOW + 65.0, Some("expired")),
        (NOW + 1e6, Some("expired")),
        (NOW - 15.0, None),
        (NOW - 16.0, Some("issued_in_future")),
        (NOW, None),
    ] {
        assert_eq!(gateway.at(&token(), at).err(), verdict, "{at}");
    }
}

#[test]
fn another_policy_is_verified_anew() {
    let mut gateway = Gateway::new();
    gateway.at(&token(), NOW).unwrap();
    // An equal policy made anew is verified anew; another policy gets its own verdict.
    gateway.policy = Arc::new(strict());
    gateway.at(&token(), NOW).unwrap();
    assert_eq!(gateway.counts(), (0, 2));
    let strict = std::mem::replace(
        &mut gateway.policy,
        Arc::new(lax().with_issuers(vec!["https://other.example".into()]).unwrap()),
    );
    assert_eq!(gateway.at(&token(), NOW).unwrap_err(), "wrong_issuer");
    gateway.policy = strict;
    gateway.at(&token(), NOW).unwrap();
    assert_eq!(gateway.counts(), (1, 3));
}

#[test]
fn tokens_of_a_key_that_disappears_are_not_found() {
    let mut gateway = Gateway::new();
    gateway.at(&token(), NOW).unwrap();
    gateway.keys = Arc::new(KeySet::from_json(br#"{"keys":[]}"#, Backend::Default).unwrap());
    assert_eq!(gateway.at(&token(), NOW).unwrap_err(), "unknown_key");
    // Nor is a set that was dropped taken for another at the same address.
    for _ in 0..100 {
        gateway.keys = Arc::new(key_set(Prepare::Never));
        gateway.at(&token(), NOW).unwrap();
        gateway.keys = Arc::new(KeySet::from_json(br#"{"keys":[]}"#, Backend::Default).unwrap());
        assert_eq!(gateway.at(&token(), NOW).unwrap_err(), "unknown_key");
    }
    assert_eq!(gateway.counts().0, 0);
}

#[test]
fn only_valid_tokens_are_kept() {
    let gateway = Gateway::new();
    let signer = signer(Algorithm::EdDsa);
    let expired = signer.token(signer.header(), r#"{"iss":"https://as.example","aud":"https://api.example","exp":1}"#);
    let bound = CLAIMS.replace('}', &format!(r#","cnf":{{"jkt":"{}"}}}}"#, base64url([1; 32])));
    let bound = signer.token(signer.header(), bound);
    for (token, code) in [(expired.as_str(), "expired"), (&bound, "dpop_proof_required"), ("a.b.c", "malformed_token")]
    {
        for _ in 0..3 {
            assert_eq!(gateway.at(token, NOW).unwrap_err(), code);
        }
    }
    assert_eq!((gateway.counts(), gateway.cache.stats().tokens), ((0, 9), 0));
}

#[test]
fn the_whole_token_is_compared() {
    let gateway = Gateway::new();
    let token = token();
    gateway.at(&token, NOW).unwrap();
    for place in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(gateway.at(&other, NOW).is_err(), "byte {place}");
        assert!(gateway.at(&token[..place], NOW).is_err());
    }
    assert!(gateway.at(&format!("{token}A"), NOW).is_err());
    assert_eq!(gateway.counts().0, 0);
}

/// The hash is of a token's end: an attacker with a valid token can send any number of others with the same end.
#[test]
fn tokens_with_the_end_of_a_valid_one_are_rejected_and_leave_nothing() {
    let gateway = Gateway::new();
    let signer = signer(Algorithm::Rs256);
    let token = signer.token(signer.header(), CLAIMS);
    gateway.at(&token, NOW).unwrap();
    let dot = token.rfind('.').unwrap();
    for number in 0..2000 {
        let claims = CLAIMS.replace("agent-7", &format!("{number:07}"));
        let (header, signature) = (base64url(signer.header()), &token[dot..]);
        let forged = format!("{header}.{}{signature}", base64url(claims));
        assert_eq!(forged.len(), token.len());
        assert_eq!(gateway.at(&forged, NOW).unwrap_err(), "invalid_signature");
    }
    let stats = gateway.cache.stats();
    assert_eq!((stats.tokens, stats.hits), (1, 0));
    gateway.at(&token, NOW).unwrap();
    assert_eq!(gateway.cache.stats().hits, 1);
}

#[test]
fn scopes_are_compiled_once_for_all_requests_with_a_token() {
    let gateway = Gateway::new();
    let signer = signer(Algorithm::EdDsa);
    let raw = signer.token(signer.header(), CLAIMS.replace('}', r#","scope":"orders:read"}"#));
    let (first, second) = (gateway.at(&raw, NOW).unwrap(), gateway.at(&raw, NOW).unwrap());
    let before = gateway.cache.stats().bytes;
    assert!(Arc::ptr_eq(&first.resource_scopes(), &second.resource_scopes()));
    assert!(Arc::ptr_eq(&first.slot_scopes(), &second.slot_scopes()));
    assert!(Arc::ptr_eq(&first.plain_scopes(), &second.plain_scopes()));
    assert!(gateway.cache.stats().bytes > before, "what is compiled later is counted, too");
    // If the cache has no room for them, they are compiled for each caller.
    let small = Gateway { cache: TokenCache::new(4096), ..Gateway::new() };
    let many: String = (0..100).map(|number| format!("orders-{number}:read ")).collect();
    let raw = signer.token(signer.header(), CLAIMS.replace('}', &format!(r#","scope":"{many}"}}"#)));
    let token = small.at(&raw, NOW).unwrap();
    assert!(!Arc::ptr_eq(&token.resource_scopes(), &token.resource_scopes()));
    assert_eq!(token.resource_scopes().scopes().len(), 100);
}

#[test]
fn the_cache_is_bounded_by_bytes() {
    let gateway = Gateway { cache: TokenCache::new(64 * 1024), ..Gateway::new() };
    let signer = signer(Algorithm::EdDsa);
    for number in 0..500 {
        let claims = CLAIMS.replace("agent-7", &format!("agent-{number}"));
        gateway.at(&signer.token(signer.header(), claims), NOW).unwrap();
        let stats = gateway.cache.stats();
        assert!(stats.bytes <= stats.max_bytes, "{stats:?}");
    }
    let stats = gateway.cache.stats();
    assert!(stats.tokens > 10 && stats.evictions > 100, "{stats:?}");
    assert_eq!(stats.evictions + u64::try_from(stats.tokens).unwrap(), stats.misses);
}

#[test]
fn a_cache_that_is_too_small_for_any_token_verifies_all_the_same() {
    let gateway = Gateway { cache: TokenCache::new(1), ..Gateway::new() };
    for _ in 0..3 {
        gateway.at(&token(), NOW).unwrap();
    }
    assert_eq!((gateway.counts(), gateway.cache.stats().tokens), ((0, 3), 0));
}

#[test]
fn a_token_is_only_found_after_it_was_inserted() {
    let gateway = Gateway::new();
    let token = token();
    let checked = gateway.cache.get(gateway.lookup(&token, NOW)).err().unwrap().verify().unwrap();
    assert!(gateway.cache.get(gateway.lookup(&token, NOW)).is_err());
    gateway.cache.insert(&checked);
    assert!(gateway.cache.get(gateway.lookup(&token, NOW)).is_ok());
    // What was found may be inserted again: there is still one.
    gateway.cache.insert(&gateway.cache.get(gateway.lookup(&token, NOW)).ok().unwrap());
    assert_eq!(gateway.cache.stats().tokens, 1);
}

proptest! {
    /// For any tokens, in any order and at any time, the verdict is that of the pipeline.
    #[test]
    fn the_verdict_is_always_that_of_the_pipeline(
        presented in prop::collection::vec((0..SIGNERS.len(), 0..4_usize, -100_i32..100), 1..40)
    ) {
        let gateway = Gateway::new();
        for (signer, damage, seconds) in presented {
            let signer = &SIGNERS[signer];
            let mut token = signer.token(signer.header(), CLAIMS);
            if damage == 0 {
                token.pop();
            }
            let at = NOW + f64::from(seconds);
            let verdict = gateway.at(&token, at);
            let expected = verify(token.as_bytes(), &gateway.keys, &gateway.policy, UnixTime::new(at).unwrap(), ProofOfPossession::default());
            prop_assert_eq!(verdict.as_ref().err().copied(), expected.as_ref().err().map(|error| error.code()));
            if let (Ok(verdict), Ok(expected)) = (verdict, expected) {
                prop_assert_eq!(verdict.claims(), expected.claims());
                prop_assert_eq!(verdict.jws().payload(), expected.jws().payload());
                prop_assert_eq!(verdict.jws().key_id(), expected.jws().key_id());
            }
        }
    }
}
