//! # Watchword's kernel
//!
//! Verification of JSON Web Tokens as a pure function: `(token, keys, policy, now)` returns a [`VerifiedToken`], a value
//! that cannot exist unless every check passed, or a [`Rejection`] with the [`Error`] of the first check that failed. There
//! is no I/O, no clock and no unsafe code. The only state of its own is a cache of parsed keys and their precomputed
//! [`tables`]: it changes how long a verdict takes, never the verdict.
//!
//! ```
//! use watchword_kernel::{Audience, Backend, KeySet, Policy, ProofOfPossession, UnixTime, verify};
//!
//! let keys = KeySet::from_json(
//!     br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
//!     Backend::Default,
//! )?;
//! assert!(keys.rejected().is_empty());
//!
//! // The defaults are for access tokens: `typ` JWT, at+jwt or absent, `exp` present, five seconds of leeway.
//! let policy = Policy::default()
//!     .with_issuers(vec!["https://as.example".into()])?
//!     .with_audience(Audience::OneOf(vec!["https://api.example".into()]))?;
//! let now = UnixTime::new(1_700_000_000.0).ok_or("not a finite number")?;
//!
//! let rejected = verify(b"not a token", &keys, &policy, now, ProofOfPossession::default()).unwrap_err();
//! assert_eq!(rejected.code(), "malformed_token");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## What is checked
//!
//! [`verify`] makes these checks, in this order: the size (before anything is decoded), three parts, strict base64url,
//! strict JSON, extensions (none is supported), `typ`, the algorithm by the policy, the key by `kid`, the algorithm by the
//! key, the signature; and only then the payload: strict JSON, the types of the registered claims, `exp`, `nbf`, `iat`,
//! `iss`, `aud`, required claims, and the binding to a certificate or a key. Keys are validated once, when a [`KeySet`] is loaded.
//!
//! A token that is bound to a key (RFC 9449) is sent with a proof by that key: [`verify_request`] verifies both, the token
//! first, and a [`ReplayCache`] detects a proof that was used before. [`verify_proof`], and [`verify`] with its result, are
//! the same in two steps.
//!
//! A token that is bound to a client certificate (RFC 8705) is sent over mutual TLS: [`verify`] and [`verify_request`] compare
//! the [`ClientCertificate`] of the connection with the one that the token names. Whether the certificate itself is valid is
//! for whoever terminates TLS to decide.
//!
//! Who acts on whose behalf, and whether that is allowed, is evaluated separately: see [`delegation`].
//!
//! Repeated work is saved in three ways: [`KeySet::prepare`] precomputes the tables of a key set, [`verify_many`] verifies
//! a batch of tokens, and a [`TokenCache`] keeps those that were valid.
//!
//! ## What is not checked
//!
//! Whether a token was revoked or used before; what its scopes allow (see [`scope`]); any claim that is not registered.
//! Whether the keys are the issuer's: the caller is responsible for loading the right ones. Keys that a token carries or
//! points to (`jwk`, `jku`, `x5c`, `x5u`) are never used; only a proof is verified by its own `jwk`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod algorithm;
mod certificate;
mod claims;
pub mod delegation;
pub mod dpop;
mod error;
pub mod fork_safety;
mod heap;
mod history;
pub mod json;
#[cfg(feature = "jsonwebtoken-provider")]
pub mod jsonwebtoken_provider;
mod jws;
mod key;
mod key_params;
mod key_set;
mod pem;
mod policy;
mod replay;
pub mod scope;
mod signature;
mod spiffe;
pub mod tables;
mod time;
mod token_hash;
mod verify;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use certificate::{CertificateError, ClientCertificate};
pub use claims::{Claims, Confirmation, ScopeClaims};
pub use delegation::{Actor, ActorName, DelegationChain, DelegationError, MayAct, Requirements};
pub use dpop::{DpopProof, ProofError, ProofPolicy, ProofRequest, UnverifiedProof, verify_proof};
pub use error::{Error, Malformed, UnknownKey};
pub use history::{KeyEpoch, KeyHistory, KeyLayer, KeyState, PolicyEpoch, PolicyHistory};
pub use jws::{JwsPolicy, Limits, UnverifiedNames, UnverifiedToken, decode_unverified, unverified_names};
pub use key::{
    PublicKey, SignedMessage, thumbprint, thumbprint_of_der, thumbprint_of_pem, thumbprint_uri, verify_signatures,
};
pub use key_params::KeyDefect;
pub use key_set::{KeySet, KeySetError, MAX_DOCUMENT, MAX_KEYS, MAX_TRIED, RejectedKey};
pub use policy::{
    Audience, BoundTokens, Expectation, Hint, IssuerNames, IssuerTable, Mismatch, Policy, PolicyError, Tenants,
};
pub use replay::{HOLDER_BYTES, ReplayCache, ReplayId, Use};
pub use signature::{Backend, KeyOptions, Prepare};
pub use spiffe::{SpiffeId, SpiffeIdError};
pub use time::{NumericDate, UnixTime};
pub use token_hash::token_hash;
pub use verify::audit;
pub use verify::{
    CacheLookup, CacheMiss, CacheStats, CheckedToken, ProofOfPossession, Rejection, Row, TokenCache, VerifiedJws,
    VerifiedToken, verify, verify_jws, verify_many, verify_request, verify_rows, verify_rows_until,
};
