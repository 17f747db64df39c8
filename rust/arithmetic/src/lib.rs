//! # Arithmetic for verifying signatures
//!
//! Fields, points, residues, and precomputed tables for keys that are used repeatedly. The crate knows nothing of JOSE and
//! computes no hashes: given the numbers of a signature, a key and a digest, it evaluates the verification equation.
//!
//! **Variable time throughout.** Keys, messages and signatures are public here; nothing in this crate may ever process a
//! secret. There is no unsafe code.
//!
//! Arithmetic on limbs wraps or carries on purpose, within bounds that are documented at each place: the crate's tests run
//! with overflow checks, releases without.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod carry;
pub mod ed25519;
mod inverse;
pub mod p256;
pub mod rsa;
mod width;

pub use width::Width;
