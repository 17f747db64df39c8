//! Whole calls of `jsonwebtoken::decode` with the crate's own provider and with the kernel's.
//!
//! A process has one provider. The program therefore starts a process for each, in turn, and prints the minimum of each.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::collections::BTreeMap;
use std::env::{args, current_exe};
use std::hint::black_box;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};
use spki::der::pem::decode_vec;
use watchword_kernel::jsonwebtoken_provider::DEFAULT_PROVIDER;

const ALGORITHMS: [(Algorithm, &str); 4] =
    [(Algorithm::EdDSA, "ed25519"), (Algorithm::ES256, "p256"), (Algorithm::RS256, "rsa"), (Algorithm::PS256, "rsa")];

const ROUNDS: usize = 5;
const SAMPLES: usize = 200;
const CALLS: u32 = 10;

fn main() {
    match args().nth(1).as_deref() {
        Some("rust_crypto") => measure(),
        Some("kernel") => {
            DEFAULT_PROVIDER.install_default().unwrap();
            measure();
        }
        // Arguments of Cargo.
        _ => compare(),
    }
}

fn compare() {
    let mut least = BTreeMap::new();
    for _ in 0..ROUNDS {
        for provider in ["rust_crypto", "kernel"] {
            let output = Command::new(current_exe().unwrap()).arg(provider).output().unwrap();
            let figures = String::from_utf8(output.stdout).unwrap();
            for (line, (algorithm, _)) in figures.lines().zip(ALGORITHMS) {
                let figure: f64 = line.parse().unwrap();
                let entry = least.entry((format!("{algorithm:?}"), provider)).or_insert(figure);
                *entry = entry.min(figure);
            }
        }
    }
    for ((algorithm, provider), figure) in least {
        println!("{algorithm} {provider:<11} {figure:6.1} µs");
    }
}

/// Prints the microseconds per call, one line for each algorithm.
fn measure() {
    let keys: JwkSet = serde_json::from_str(include_str!("../tests/keys/jwks.json")).unwrap();
    for (algorithm, key_id) in ALGORITHMS {
        let token = encode(&Header::new(algorithm), &claims(), &signing_key(key_id)).unwrap();
        let key = DecodingKey::from_jwk(keys.find(key_id).unwrap()).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["https://api.example"]);
        validation.set_issuer(&["https://as.example"]);
        let call = || decode::<Value>(black_box(&token), &key, &validation).unwrap();

        // The table is built in the background after some uses.
        (0..200).for_each(|_| drop(call()));
        sleep(Duration::from_millis(200));
        let sample = |_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| drop(black_box(call())));
            start.elapsed() / CALLS
        };
        let least = (0..SAMPLES).map(sample).min().unwrap();
        println!("{}", least.as_secs_f64() * 1e6);
    }
}

fn signing_key(key_id: &str) -> EncodingKey {
    let (pem, from_der): (_, fn(&[u8]) -> EncodingKey) = match key_id {
        "ed25519" => (include_str!("../tests/keys/ed25519.pem"), EncodingKey::from_ed_der),
        "p256" => (include_str!("../tests/keys/p256.pem"), EncodingKey::from_ec_der),
        _ => (include_str!("../tests/keys/rsa.pem"), EncodingKey::from_rsa_der),
    };
    from_der(&decode_vec(pem.trim_end().as_bytes()).unwrap().1)
}

fn claims() -> Value {
    json!({
        "iss": "https://as.example", "sub": "agent-7", "aud": "https://api.example", "exp": 4_000_000_000_u64,
        "iat": 1_699_999_990, "nbf": 1_699_999_990, "jti": "0f9d8a7c-1234-4321-9876-abcdefabcdef",
        "scope": "orders:read orders:write users:read", "client_id": "client-1234567890", "tenant": "tenant-42",
        "act": {"sub": "agent-8"}, "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    })
}
