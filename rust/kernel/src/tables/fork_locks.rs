//! The locks of tables across a fork: see [`fork_safety`](crate::fork_safety).

use std::sync::MutexGuard;

use super::budget::{Owners, lock_owners};
use super::builder::{Queue, lock_queue};

/// The queue of keys that wait for a table, and the list of those that have one, both locked.
pub(crate) struct ForkLocks {
    queue: Option<MutexGuard<'static, Queue>>,
    #[expect(dead_code, reason = "locked until it is dropped")]
    owners: Option<MutexGuard<'static, Owners>>,
}

pub(crate) fn lock_for_fork() -> ForkLocks {
    ForkLocks { queue: lock_queue(), owners: lock_owners() }
}

impl ForkLocks {
    /// Releases the locks in the child, which does not have the thread that builds tables.
    pub(crate) fn release_in_child(mut self) {
        if let Some(queue) = &mut self.queue {
            queue.forget_thread();
        }
    }
}
