//! Precomputed tables of multiples of a key, which make verification with frequently used keys fast.
//!
//! Building a table takes about as long as twenty verifications without one, and a table takes about a hundred
//! kilobytes. A key therefore gets its table after a number of uses, or at once by
//! [`KeySet::prepare`](crate::KeySet::prepare). All tables of the process share one budget; when it is full, the least
//! used keys lose theirs first.
//!
//! Beside the key cache, these tables are the only global state of the kernel. They never affect a verdict: with a
//! table or without, the same equation is evaluated.

mod budget;
mod builder;
mod fork_locks;
mod lazy;

pub use budget::{Settings, SettingsError, Stats, configure, settings, stats};
pub(crate) use fork_locks::{ForkLocks, lock_for_fork};
pub(crate) use lazy::{Precompute, Precomputed, ReservedTable};
pub use watchword_arithmetic::Width;
