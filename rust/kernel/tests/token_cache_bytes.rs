//! The bytes that a token cache reports, and those that it takes.
//!
//! One test, because the count is the process's: another one beside it would be counted along.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;

use common::{CLAIMS, base64url, key_set, now, signer, strict};
use peak_alloc::PeakAlloc;
use watchword_kernel::{Algorithm, Backend, CacheLookup, KeySet, Policy, TokenCache};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MAX_BYTES: u64 = 4 << 20;

/// Claims, of which `number` makes each different.
type Claims = fn(usize) -> String;

fn with(member: &str, number: usize) -> String {
    CLAIMS.replace("agent-7", &format!("agent-{number}")).replace('}', &format!(",{member}}}"))
}

/// `"name":["…","…",…]` of so many different strings.
fn list(name: &str, first: &str, text: impl Fn(usize) -> String, count: usize) -> String {
    let texts: Vec<String> = (0..count).map(|place| format!("\"{}\"", text(place))).collect();
    format!("\"{name}\":[{first}{}]", texts.join(","))
}

fn audience(number: usize) -> String {
    let many = list("aud", "\"https://api.example\",", |place| place.to_string(), 1800);
    with(&many, number).replacen(r#""aud":"https://api.example","#, "", 1)
}

const SHAPES: [(&str, Claims); 8] = [
    ("usual", |number| with(r#""scope":"orders:read orders:write profile""#, number)),
    ("words", |number| with(&format!("\"scope\":\"{}\"", words(|place| format!("{place:x}"), 2400)), number)),
    ("resources", |number| with(&format!("\"scope\":\"{}\"", words(|place| format!("{place:x}:r"), 1600)), number)),
    ("actions", |number| with(&format!("\"scope\":\"{}\"", words(|place| format!("r:{place:x}"), 1600)), number)),
    ("slots", |number| with(&format!("\"scope\":\"{}\"", words(|place| format!("a:{place:x}:*"), 1200)), number)),
    ("one-letter words", |number| with(&format!("\"scope\":\"{}\"", words(|_| "a".into(), 5000)), number)),
    ("audience", audience),
    ("bound", |number| {
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, "A".repeat(6000));
        with(&format!("\"cnf\":{{\"jkt\":\"{0}\",\"jwk\":{jwk},\"x5t#S256\":\"{0}\"}}", base64url([1; 32])), number)
    }),
];

fn words(word: impl Fn(usize) -> String, count: usize) -> String {
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

struct Gateway {
    keys: Arc<KeySet>,
    policy: Arc<Policy>,
}

impl Gateway {
    /// Verifies a token and compiles its scopes in each way.
    fn present(&self, cache: &TokenCache, claims: &str) {
        let signer = signer(Algorithm::EdDsa);
        let token = signer.token(signer.header(), claims);
        let lookup = CacheLookup { token: token.as_bytes(), keys: &self.keys, policy: &self.policy, now: now() };
        let verified = common::verify_cached(cache, lookup).unwrap_or_else(|error| panic!("{error:?}"));
        drop((verified.resource_scopes(), verified.slot_scopes(), verified.plain_scopes()));
    }
}

#[test]
fn a_cache_takes_the_bytes_that_it_reports() {
    let policy = strict().with_bound_tokens(watchword_kernel::BoundTokens::Accept);
    let gateway = Gateway { keys: Arc::new(key_set(Backend::Default)), policy: Arc::new(policy) };
    // Allocations that are made once for the process, such as the table of the base point.
    gateway.present(&TokenCache::new(MAX_BYTES), CLAIMS);
    for (shape, claims) in SHAPES {
        let before = ALLOCATOR.current_usage();
        let cache = TokenCache::new(MAX_BYTES);
        for number in 0..3000 {
            gateway.present(&cache, &claims(number));
            let stats = cache.stats();
            assert!(stats.bytes <= MAX_BYTES, "{shape}: {stats:?}");
            if stats.evictions > 200 {
                break;
            }
        }
        let stats = cache.stats();
        let taken = ALLOCATOR.current_usage() - before;
        let share = taken as f64 / stats.bytes as f64;
        println!("{shape}: {} tokens, {} bytes counted, {taken} taken ({share:.3})", stats.tokens, stats.bytes);
        assert!(stats.evictions > 0 && stats.bytes > MAX_BYTES / 2, "{shape}: {stats:?}");
        // For small tokens more is counted than is requested: allocators round up, and the table is never full.
        let least = if shape == "usual" { 0.75 } else { 0.85 };
        assert!((least..=1.02).contains(&share), "{shape}: {taken} of {stats:?}");
        cache.clear();
        assert_eq!((cache.stats().tokens, cache.stats().bytes), (0, 0));
        drop(cache);
        // Everything is freed, except what threads keep for themselves.
        assert!(ALLOCATOR.current_usage() < before + 4096, "{shape}");
    }
}
