//! Builds tables in the background: one thread at a time, for as long as keys are queued.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use super::budget::TableOwner;
use crate::fork_safety::lock_with_retries;

/// How many keys may wait for a table. A key that finds the queue full tries again after some more uses.
const MAX_QUEUED: usize = 256;

pub(crate) struct Queue {
    waiting: VecDeque<Weak<dyn TableOwner>>,
    /// The process in which a builder thread is running: a forked child inherits the queue, but not the thread.
    running_in: Option<u32>,
}

/// How many keys wait for a table, with the one whose table is being built.
static QUEUED: AtomicUsize = AtomicUsize::new(0);

static QUEUE: Mutex<Queue> = Mutex::new(Queue { waiting: VecDeque::new(), running_in: None });

/// Queues a key for a table, and returns at once. If the queue is locked or no thread can be started, nothing happens:
/// the key tries again later.
pub(super) fn enqueue(owner: Weak<dyn TableOwner>) {
    let Ok(mut queue) = QUEUE.try_lock() else { return };
    let is_queued = queue.waiting.iter().any(|other| std::ptr::addr_eq(other.as_ptr(), owner.as_ptr()));
    if !is_queued && queue.waiting.len() < MAX_QUEUED {
        queue.waiting.push_back(owner);
        QUEUED.fetch_add(1, Ordering::Relaxed);
    }
    // Also if the key was queued before: by a parent of this process, or when no thread could be started.
    let process = std::process::id();
    if queue.running_in != Some(process) {
        let builder = std::thread::Builder::new().name("watchword-tables".to_owned());
        queue.running_in = builder.spawn(run).is_ok().then_some(process);
    }
}

/// Returns how many keys wait for a table, with the one whose table is being built.
pub(super) fn queued() -> usize {
    QUEUED.load(Ordering::Relaxed)
}

pub(crate) fn lock_queue() -> Option<MutexGuard<'static, Queue>> {
    lock_with_retries(&QUEUE)
}

impl Queue {
    /// For a forked child, which does not have its parent's builder thread.
    pub(crate) fn forget_thread(&mut self) {
        self.running_in = None;
        QUEUED.store(self.waiting.len(), Ordering::Relaxed);
    }
}

fn run() {
    while let Some(owner) = next() {
        if let Some(owner) = owner.upgrade() {
            owner.build();
        }
        QUEUED.fetch_sub(1, Ordering::Relaxed);
    }
}

fn next() -> Option<Weak<dyn TableOwner>> {
    #[allow(clippy::disallowed_methods, reason = "see below")]
    // This thread may block: no other waits for it, and the thread that started it had the lock in this same process.
    let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    let next = queue.waiting.pop_front();
    if next.is_none() {
        queue.running_in = None;
    }
    next
}
