//! How the kernel stays usable in a forked child.
//!
//! A forked child has its parent's memory, but only the thread that called fork. Whatever another thread was changing
//! at that moment stays half done for ever: a lock that it held is never released, a cell that it was initialising is
//! never filled. Three rules keep a child from waiting for such a thread:
//!
//! - **What a verdict needs is computed by the thread that needs it.** The cells in this crate are those of
//!   [`once_cell::race`], and tables are exchanged by `arc-swap`: threads that need the same value at the same time may
//!   compute it twice, and none waits for another.
//! - **Locks guard only what a verdict can do without** (the key cache, tables, the token cache). They are acquired
//!   with a limited number of retries; a thread that cannot acquire one continues without it.
//! - **A binding holds these locks across a fork** ([`lock_all`]), so that none is locked in the child, which would
//!   otherwise run without caches for the rest of its life.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::{key, tables};

/// How often a lock is tried, a millisecond apart. Locks are held for microseconds; they stay locked only in a child
/// that was forked during these microseconds by code that does not call [`lock_all`].
const LOCK_RETRIES: u32 = 250;

/// The locks of all caches, acquired by the thread that forks.
#[must_use = "the locks are released when this is dropped"]
pub struct ForkGuard {
    #[expect(dead_code, reason = "locked until it is dropped")]
    keys: key::CacheLock,
    tables: tables::ForkLocks,
}

/// Locks all caches of the process. Call it before a fork, in the thread that forks; afterwards drop the guard in the
/// parent, and call [`ForkGuard::release_in_child`] in the child.
///
/// Waits for microseconds as a rule, and never longer than the retries take: a lock that cannot be acquired is left
/// out.
pub fn lock_all() -> ForkGuard {
    ForkGuard { keys: key::lock_cache(), tables: tables::lock_for_fork() }
}

impl ForkGuard {
    /// Releases the locks in the child, which starts without the thread that builds tables. (The parent drops the
    /// guard.)
    pub fn release_in_child(self) {
        self.tables.release_in_child();
    }
}

/// Locks the mutex; `None` if it stays locked for all retries.
pub(crate) fn lock_with_retries<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..LOCK_RETRIES {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            // Nothing that runs under these locks panics half-way. If it did, only a cache would be affected.
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    None
}
