//! # Arithmetic for verifying signatures
//!
//! Fields, points, residues and the tables of keys that are met again. It knows nothing of JOSE and hashes nothing:
//! what comes in are the numbers of a signature, of a key and of a digest, what goes out is whether the equation holds.
//!
//! **Variable time, throughout.** Keys, messages and signatures are public here; nothing in this crate may ever touch a
//! secret. There is no unsafe code.
//!
//! Arithmetic on limbs wraps or carries on purpose, within bounds that are stated where it does: the crate's tests run
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
