//! What several of the tests need: the fixed signing keys, tokens made with them, and data from outside the project.

#![allow(dead_code, reason = "each test is a crate of its own and uses a part of this")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

use std::fmt::Debug;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::EncodingKey;
use spki::der::pem::decode_vec;
use watchword_kernel::{
    Algorithm, Audience, Backend, BoundTokens, CacheLookup, JwsPolicy, KeyOptions, KeySet, Policy, Prepare,
    ProofOfPossession, PublicKey, Rejection, SignedMessage, TokenCache, UnixTime, VerifiedToken, verify_signatures,
};

/// Every way to verify a signature: all give the same verdict.
pub(crate) const KEY_OPTIONS: [KeyOptions; 3] = [
    KeyOptions { backend: Backend::Default, prepare: Prepare::Auto },
    KeyOptions { backend: Backend::Default, prepare: Prepare::Never },
    KeyOptions { backend: Backend::Reference, prepare: Prepare::Auto },
];

/// The public parts of the signing keys; each `kid` is the name of a file in `keys/`.
pub(crate) const JWKS: &str = include_str!("../keys/jwks.json");

/// The time of verification in these tests.
pub(crate) const NOW: f64 = 1_700_000_000.0;

/// Claims that every policy here accepts.
pub(crate) const CLAIMS: &str =
    r#"{"iss":"https://as.example","aud":"https://api.example","sub":"agent-7","exp":1700000060,"iat":1699999990}"#;

/// One of the fixed keys, used with one algorithm.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: &'static str,
    jwt_algorithm: jsonwebtoken::Algorithm,
    key: EncodingKey,
}

/// One for each algorithm.
pub(crate) static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    Algorithm::ALL
        .into_iter()
        .map(|algorithm| {
            let (key_id, key) = match algorithm {
                Algorithm::EdDsa | Algorithm::Ed25519 => ("ed25519", EncodingKey::from_ed_der(&ED25519)),
                Algorithm::Es256 => ("p256", EncodingKey::from_ec_der(&P256)),
                Algorithm::Es384 => ("p384", EncodingKey::from_ec_der(&P384)),
                _ => ("rsa", EncodingKey::from_rsa_der(&RSA)),
            };
            Signer { algorithm, key_id, jwt_algorithm: jwt_algorithm(algorithm), key }
        })
        .collect()
});

static ED25519: LazyLock<Vec<u8>> = LazyLock::new(|| der(include_str!("../keys/ed25519.pem")));
static P256: LazyLock<Vec<u8>> = LazyLock::new(|| der(include_str!("../keys/p256.pem")));
static P384: LazyLock<Vec<u8>> = LazyLock::new(|| der(include_str!("../keys/p384.pem")));
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| der(include_str!("../keys/rsa.pem")));

fn der(pem: &str) -> Vec<u8> {
    decode_vec(pem.trim_end().as_bytes()).expect("the test keys are PEM").1
}

pub(crate) fn signer(algorithm: Algorithm) -> &'static Signer {
    SIGNERS.iter().find(|signer| signer.algorithm == algorithm).expect("there is one for each algorithm")
}

impl Signer {
    /// A header with this signer's `alg` and `kid`.
    pub(crate) fn header(&self) -> String {
        format!(r#"{{"alg":"{}","kid":"{}"}}"#, self.algorithm.name(), self.key_id)
    }

    /// The compact form, signed over whatever header and payload are.
    pub(crate) fn token(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let input = format!("{}.{}", base64url(header), base64url(payload));
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &self.key, self.jwt_algorithm).expect("the test keys sign");
        format!("{input}.{signature}")
    }
}

pub(crate) fn jwt_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        _ => algorithm.name().parse().expect("jsonwebtoken knows the other names"),
    }
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

/// The test keys, with precomputed tables if the options allow them.
pub(crate) fn key_set(options: impl Into<KeyOptions>) -> KeySet {
    let keys = KeySet::from_json(JWKS.as_bytes(), options).expect("the test keys are a JWK Set");
    keys.prepare();
    keys
}

/// What all verdicts are; that they are not the same is a failure.
pub(crate) fn agreed<T: PartialEq + Debug>(verdicts: impl IntoIterator<Item = T>) -> T {
    let mut verdicts = verdicts.into_iter();
    let first = verdicts.next().expect("there is a backend");
    verdicts.for_each(|other| assert_eq!(first, other));
    first
}

/// Whether a signature is valid: alone and in a batch, which must make no difference.
pub(crate) fn holds(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let alone = key.verify(algorithm, message, signature);
    if key.key_type() == "RSA" {
        // Nothing is shared between RSA signatures, and the suites of them are long.
        return alone;
    }
    let signed = SignedMessage { key, algorithm, message, signature };
    let others =
        [SignedMessage { message: b"another", ..signed }, SignedMessage { signature: &[1; 64], ..signed }, signed];
    let [first, .., last] = verify_signatures(&[&[signed], &others[..]].concat())[..] else {
        panic!("one verdict for each")
    };
    agreed([alone, first, last])
}

pub(crate) fn now() -> UnixTime {
    UnixTime::new(NOW).expect("finite")
}

/// The default policy, with the issuer and audience of [`CLAIMS`].
pub(crate) fn strict() -> Policy {
    Policy::default()
        .with_issuers(vec!["https://as.example".into()])
        .and_then(|policy| policy.with_audience(Audience::OneOf(vec!["https://api.example".into()])))
        .expect("a good policy")
}

/// The weakest policy.
pub(crate) fn lax() -> Policy {
    Policy::default()
        .with_jws(any_jws())
        .with_audience(Audience::Any)
        .and_then(|policy| policy.with_leeway(0.0))
        .expect("a good policy")
        .with_required(vec![])
        .with_bound_tokens(BoundTokens::Accept)
}

pub(crate) fn any_jws() -> JwsPolicy {
    JwsPolicy::default().with_any_type()
}

/// Verifies a token that was sent without a proof, or finds it in the cache.
pub(crate) fn verify_cached(cache: &TokenCache, lookup: CacheLookup<'_>) -> Result<Arc<VerifiedToken>, Rejection> {
    match cache.get(lookup) {
        Ok(found) => found.verified(ProofOfPossession::default()),
        Err(miss) => {
            let checked = miss.verify()?;
            let token = checked.clone().verified(ProofOfPossession::default())?;
            cache.insert(&checked);
            Ok(token)
        }
    }
}

/// The text of a file of test vectors that the project does not own, from the folder that `WATCHWORD_SHARED` names or
/// from `shared` beside the repository. If the file is missing, prints that even when output is captured, and returns
/// `None`; if the variable names a folder, the file must exist.
pub(crate) fn vectors(file: &str) -> Option<String> {
    let named = std::env::var_os("WATCHWORD_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = named.clone().unwrap_or(beside).join("vectors").join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if named.is_some() => panic!("WATCHWORD_SHARED is set, and vectors/{file} cannot be read: {error}"),
        Err(_) => {
            // Not eprintln, which the test harness keeps to itself; and in one piece, whatever else is written meanwhile.
            let line = format!("SKIPPED: vectors/{file} is not there; WATCHWORD_SHARED can name the folder above it\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
    }
}
