//! Proofs of possession (RFC 9449): a JWT of its own with each request, signed by the key that the access token is
//! bound to.
//!
//! [`verify_proof`] is the list of checks, top to bottom. It reads the embedded key, which nothing else in this crate
//! does: a proof shows that its sender holds *some* key, and only the token's `cnf` says whose key that is.
//!
//! A request is verified by [`verify_request`](crate::verify_request): the token first, and the proof only if the token
//! is valid and bound to a key, by that key. So a stranger's proof costs nothing. That a proof was not used before is for
//! a memory to say: [`ReplayCache`](crate::ReplayCache).

mod embedded_key;
mod error;
mod possession;
mod proof;
mod uri;

pub use embedded_key::MAX_PROOF_MODULUS_BITS;
pub use error::{Possession, ProofError};
pub use possession::UnverifiedProof;
pub use proof::{DpopProof, PROOF_LIMITS, ProofPolicy, ProofRequest, verify_proof};
pub use uri::{MAX_HOST, MAX_URI, TargetUri, UriError};
