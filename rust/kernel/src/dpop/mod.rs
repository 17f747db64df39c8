//! DPoP proofs (RFC 9449): a JWT with each request, signed by the key that the access token is bound to.
//!
//! [`verify_proof`] lists the checks in order. It reads the embedded key, which nothing else in this crate does: a proof
//! shows that its sender has *some* key, and only the token's `cnf` says which key it must be.
//!
//! [`verify_request`](crate::verify_request) verifies the token first, and the proof only if the token is valid and bound
//! to a key, by that key. So a proof without a valid token costs nothing. Replay is checked by
//! [`ReplayCache`](crate::ReplayCache).

mod claims;
mod embedded_key;
mod error;
mod policy;
mod possession;
mod proof;
mod uri;
mod verify;

pub use embedded_key::MAX_PROOF_MODULUS_BITS;
pub use error::{Possession, ProofError};
pub use policy::{PROOF_LIMITS, ProofPolicy, ProofRequest};
pub use possession::UnverifiedProof;
pub use proof::DpopProof;
pub use uri::{MAX_HOST, MAX_URI, TargetUri, UriError};
pub use verify::verify_proof;
