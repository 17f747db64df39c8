//! Proofs of possession (RFC 9449): a JWT of its own with each request, signed by the key that the access token is
//! bound to.
//!
//! [`verify_proof`] is the list of checks, top to bottom. It reads the embedded key, which nothing else in this crate
//! does: a proof shows that its sender holds *some* key, and only the token's `cnf` says whose key that is. Two checks
//! are therefore not here: that the key is the token's, which [`verify_with_proof`](crate::verify_with_proof) makes, and
//! that the proof was not used before, which is for a memory to say: [`ReplayCache`](crate::ReplayCache).

mod error;
mod proof;
mod uri;

pub use error::{Possession, ProofError};
pub use proof::{DpopProof, MAX_PROOF_MODULUS_BITS, ProofPolicy, ProofRequest, verify_proof};
pub use uri::{MAX_HOST, MAX_URI, TargetUri, UriError};
