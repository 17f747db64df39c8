//! Tables of multiples of keys that are met again: what makes a prepared key fast.
//!
//! A table costs about as much time as some twenty verifications without one, and a hundred kilobytes or so. A key
//! therefore earns its table by use, or is given one by [`KeySet::prepare`](crate::KeySet::prepare). Tables live within
//! one budget for the whole process; where it is full, the keys that are used least lose theirs first.
//!
//! This is the one thing that the kernel remembers of its own accord, beside the keys themselves. It never takes part in
//! a verdict: with a table or without, the same equation is evaluated.

mod budget;
mod builder;
mod earned;
mod held;

pub use budget::{Settings, SettingsError, Stats, configure, settings, stats};
pub(crate) use earned::{Earned, Leased, Tabled};
pub(crate) use held::{Held, hold};
pub use watchword_arithmetic::Width;
