//! The kernel compared with other crates that do the same, as groups of contenders.
//!
//! The groups run in two ways: with criterion (`cargo bench`), one contender after the other, and with the binary
//! `interleaved`, in turns, so that a drifting clock or other load on the machine affects all of them alike. Figures of
//! one contender come from the former, ratios from the latter.

pub mod contender;
mod gate;
pub mod groups;
mod proofs;
pub mod rounds;
pub mod samples;
mod signatures;
mod tokens;
mod widths;
