//! What must hold of any input whatever: the bodies of the fuzz targets, and of tests that replay and generate inputs.
//!
//! Each check takes the input and panics where something does not hold. The second opinions are the kernel's other
//! backends, serde_json for JSON, and jsonwebtoken for whole tokens.

#![allow(dead_code, unused_imports, reason = "each includer uses a part of this")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a check fails by panicking")]

mod json;
mod keys;
mod signatures;
mod tokens;

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use watchword_kernel::{Audience, Backend, BoundTokens, JwsPolicy, KeyOptions, KeySet, Policy, Prepare, UnixTime};

pub(crate) use json::json;
pub(crate) use keys::keys;
pub(crate) use signatures::signatures;
pub(crate) use tokens::{is_accepted, verify};

const KEY_OPTIONS: [KeyOptions; 3] = [
    KeyOptions { backend: Backend::Default, prepare: Prepare::Auto },
    KeyOptions { backend: Backend::Default, prepare: Prepare::Never },
    KeyOptions { backend: Backend::Reference, prepare: Prepare::Auto },
];

/// The moment of judgement: 14 November 2023.
const NOW: f64 = 1_700_000_000.0;
const LEEWAY: f64 = 5.0;
const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example";

/// RFC 8037 appendix A.1: a key whose private half everybody knows, so that any input can be signed.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// The keys of the tests, which have names, and the public half of [`SECRET`], which has none; with all backends.
const JWKS: &str = include_str!("../../rust/kernel/tests/keys/jwks.json");
const RFC_8037: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&SECRET));
static SETS: LazyLock<[[KeySet; 3]; 2]> = LazyLock::new(|| {
    [JWKS, RFC_8037].map(|jwks| {
        KEY_OPTIONS.map(|options| {
            let keys = KeySet::from_json(jwks.as_bytes(), options).expect("a JWK Set");
            keys.prepare();
            keys
        })
    })
});
static POLICIES: LazyLock<[Policy; 2]> = LazyLock::new(|| [strict(), lax()]);

/// Tokens by the keys of the tests, signed once: what a key set is tried with.
const TOKENS: &str = include_str!("../../rust/kernel/tests/keys/tokens.txt");

fn strict() -> Policy {
    Policy::default()
        .with_issuers(vec![ISSUER.into()])
        .and_then(|policy| policy.with_audience(Audience::OneOf(vec![AUDIENCE.into()])))
        .and_then(|policy| policy.with_leeway(LEEWAY))
        .expect("good")
}

fn lax() -> Policy {
    Policy::default()
        .with_jws(JwsPolicy::default().with_any_type())
        .with_audience(Audience::Any)
        .and_then(|policy| policy.with_leeway(LEEWAY))
        .expect("good")
        .with_required(vec![])
        .with_bound_tokens(BoundTokens::Accept)
}

fn now() -> UnixTime {
    UnixTime::new(NOW).expect("finite")
}
