//! The locks of tables, held across a fork: see [`forks`](crate::forks).

use std::sync::MutexGuard;

use super::budget::{Holders, holders};
use super::builder::{Queue, queue};

/// The queue of keys that wait for a table, and the list of those that have one, at rest.
pub(crate) struct Held {
    queue: Option<MutexGuard<'static, Queue>>,
    #[expect(dead_code, reason = "is held")]
    holders: Option<MutexGuard<'static, Holders>>,
}

pub(crate) fn hold() -> Held {
    Held { queue: queue(), holders: holders() }
}

impl Held {
    /// Releases them in the child, which has one thread: none that builds tables.
    pub(crate) fn release_in_child(mut self) {
        if let Some(queue) = &mut self.queue {
            queue.forget_thread();
        }
    }
}
