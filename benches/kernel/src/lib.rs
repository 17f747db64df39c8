//! What the kernel does, beside other crates that do the same, as groups of contenders.
//!
//! The same groups are run in two ways: by criterion (`cargo bench`), one contender after the other, and by the binary
//! `interleaved`, in turns, so that a clock that drifts or a neighbour who works moves all of them alike. Figures for
//! one contender come from the former, ratios from the latter.

pub mod contender;
pub mod groups;
mod proofs;
pub mod rounds;
pub mod samples;
mod signatures;
mod tokens;
mod widths;
