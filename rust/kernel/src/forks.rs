//! What a fork must not find half done.
//!
//! A forked child has the memory of its parent, but only the thread that forked. What another thread was in the middle of
//! stays as it was at that moment, for ever: a lock that it held is never released, a cell that it was filling never
//! becomes full. Three rules keep a child from waiting for such a thread:
//!
//! - **What a verdict needs is computed by whoever needs it.** The cells in this crate are those of
//!   [`once_cell::race`], and tables are exchanged by `arc-swap`: threads that need the same value at the same time may
//!   compute it twice, and none waits for another.
//! - **Locks are for what a verdict can do without** (the memory of keys, tables, the token cache), are asked for with
//!   bounded patience, and whoever does not get one does without.
//! - **A binding holds these locks across a fork** ([`hold`]), so that a child has them at rest, and does not do without
//!   for the rest of its life.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::{key, tables};

/// How often a lock is asked for, a millisecond apart. Locks are held for microseconds, save in a child that was forked in
/// just these by code that does not [`hold`] them.
const PATIENCE: u32 = 250;

/// Everything that a fork must find at rest, held until this is dropped, by the thread that forks.
#[must_use = "the locks are released when this is dropped"]
pub struct Held {
    #[expect(dead_code, reason = "is held")]
    keys: key::Held,
    tables: tables::Held,
}

/// Waits, for microseconds as a rule and never for long, until nobody is in the middle of a change. To be called before a
/// fork, by the thread that forks; parent and child then release what they hold.
pub fn hold() -> Held {
    Held { keys: key::hold(), tables: tables::hold() }
}

impl Held {
    /// Releases everything in the child. (The parent drops it.)
    pub fn release_in_child(self) {
        self.tables.release_in_child();
    }
}

/// The lock, unless somebody has it for much longer than anybody should.
pub(crate) fn lock_within_patience<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..PATIENCE {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            // Nothing that is done under these locks panics half-way; if it did, they would still be about memory only.
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    None
}
