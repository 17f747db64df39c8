//! # Watchword's kernel
//!
//! Verification of JSON Web Tokens as a pure function: `(token, keys, policy, now)` gives a [`VerifiedToken`], a value
//! that cannot exist unless every check passed, or a [`Refusal`] with the [`Error`] of the first check that failed. There is no I/O, no
//! clock and no unsafe code in here. What it remembers by itself are keys that it has met, and [`tables`] of their
//! multiples: they change how long a verdict takes, never the verdict.
//!
//! ```
//! use watchword_kernel::{Audience, Backend, KeySet, Policy, UnixTime, verify};
//!
//! let keys = KeySet::from_json(
//!     br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
//!     Backend::Default,
//! )?;
//! assert!(keys.rejected().is_empty());
//!
//! // Access tokens: `typ` JWT, at+jwt or absent, `exp` present, five seconds of leeway, unless it says otherwise.
//! let policy = Policy::default()
//!     .with_issuers(vec!["https://as.example".into()])?
//!     .with_audience(Audience::OneOf(vec!["https://api.example".into()]))?;
//! let now = UnixTime::new(1_700_000_000.0).ok_or("not a finite number")?;
//!
//! let refused = verify(b"not a token", &keys, &policy, now).unwrap_err();
//! assert_eq!(refused.code(), "malformed_token");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## What every token goes through
//!
//! [`verify`] is the whole list, in order: the size (before anything is decoded), three parts, strict base64url, strict
//! JSON, extensions (none is understood), `typ`, the algorithm by the policy, the key by `kid`, the algorithm by the
//! key, the signature; and only then the payload: strict JSON, the types of the registered claims, `exp`, `nbf`, `iat`,
//! `iss`, `aud`, required claims, and the binding to a key. Keys are judged once, when a [`KeySet`] is read.
//!
//! A token that is bound to a key (RFC 9449) comes with a proof of that key: [`verify_request`] takes the two together,
//! the token first, and [`ReplayCache`] remembers the proof. [`verify_proof`] and [`verify_with_proof`] are its parts.
//!
//! Who acts on whose behalf, and whether that is wanted, is a second question: see [`delegation`].
//!
//! The same token, key or message met again is met faster: [`KeySet::prepare`] builds the tables of a set at once,
//! [`verify_many`] takes many tokens together, and a [`TokenCache`] remembers those that were valid.
//!
//! ## What is not checked
//!
//! Whether a token was revoked or seen before; what its scopes allow (the matchers of [`scope`] answer that, where they
//! are asked); any claim that is not registered. Whether the keys are the issuer's: whoever reads them in vouches for
//! that. Keys that a token carries or points to (`jwk`, `jku`, `x5c`, `x5u`) are never used; only a proof is verified by
//! its own `jwk`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod algorithm;
mod base64url;
mod batch;
mod claims;
mod compact;
pub mod delegation;
pub mod dpop;
mod error;
mod expectation;
pub mod forks;
mod header;
mod heap;
mod issuer_rule;
pub mod json;
#[cfg(feature = "jsonwebtoken-provider")]
pub mod jsonwebtoken_provider;
mod jws_policy;
mod key;
mod key_set;
mod matchers;
mod material;
mod media_type;
mod member;
mod peek;
mod policy;
mod refusal;
mod replay;
pub mod scope;
mod scope_claims;
mod signature;
mod spiffe;
pub mod tables;
mod texts;
mod time;
mod token_cache;
mod token_hash;
mod verify;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use batch::{verify_many, verify_many_until};
pub use claims::{Claims, Confirmation};
pub use compact::Limits;
pub use delegation::{Actor, ActorName, DelegationChain, DelegationError, Demands, MayAct};
pub use dpop::{DpopProof, ProofError, ProofPolicy, ProofRequest, UnverifiedProof, verify_proof};
pub use error::{Error, Malformed, UnknownKey};
pub use expectation::{Expectation, Hint, Mismatch};
pub use issuer_rule::Tenants;
pub use jws_policy::JwsPolicy;
pub use key::{PublicKey, Signed, thumbprint, thumbprint_of_der, thumbprint_of_pem, thumbprint_uri, verify_each};
pub use key_set::{KeySet, KeySetError, MAX_DOCUMENT, MAX_KEYS, MAX_TRIED, RejectedKey};
pub use material::Defect;
pub use peek::{UnverifiedNames, UnverifiedToken, decode_unverified, unverified_names};
pub use policy::{Audience, BoundTokens, Policy, PolicyError};
pub use refusal::Refusal;
pub use replay::{HOLDER_BYTES, ReplayCache, ReplayId, Use};
pub use scope_claims::ScopeClaims;
pub use signature::{Backend, KeyOptions, Prepare};
pub use spiffe::{SpiffeId, SpiffeIdError};
pub use time::{NumericDate, UnixTime};
pub use token_cache::{CacheStats, Presented, TokenCache};
pub use token_hash::token_hash;
pub use verify::{VerifiedJws, VerifiedToken, verify, verify_jws, verify_request, verify_with_proof};
