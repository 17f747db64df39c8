//! Builds tables off the path of those who verify: one thread at a time, for as long as there is something to build.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use super::budget::Holder;
use crate::forks::lock_within_patience;

/// How many keys may wait for a table. One that finds no place asks again after some more uses.
const MAX_WAITING: usize = 256;

pub(crate) struct Queue {
    waiting: VecDeque<Weak<dyn Holder>>,
    /// The process in which a thread is at work: a forked child inherits the queue, but not the thread.
    at_work: Option<u32>,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { waiting: VecDeque::new(), at_work: None });

/// Asks for a table, and returns at once. Where the queue is busy or no thread can be had, nothing happens: the key asks
/// again.
pub(super) fn ask(holder: Weak<dyn Holder>) {
    let Ok(mut queue) = QUEUE.try_lock() else { return };
    let waits = queue.waiting.iter().any(|other| std::ptr::addr_eq(other.as_ptr(), holder.as_ptr()));
    if waits || queue.waiting.len() >= MAX_WAITING {
        return;
    }
    queue.waiting.push_back(holder);
    let process = std::process::id();
    if queue.at_work != Some(process) {
        let builder = std::thread::Builder::new().name("watchword-tables".to_owned());
        queue.at_work = builder.spawn(work).is_ok().then_some(process);
    }
}

pub(crate) fn queue() -> Option<MutexGuard<'static, Queue>> {
    lock_within_patience(&QUEUE)
}

impl Queue {
    /// In a forked child: the thread stayed behind.
    pub(crate) fn forget_thread(&mut self) {
        self.at_work = None;
    }
}

fn work() {
    while let Some(holder) = next() {
        if let Some(holder) = holder.upgrade() {
            holder.build();
        }
    }
}

fn next() -> Option<Weak<dyn Holder>> {
    #[allow(clippy::disallowed_methods, reason = "see below")]
    // This thread may wait: nobody waits for it, and it belongs to the process in which whoever started it had the lock.
    let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    let next = queue.waiting.pop_front();
    if next.is_none() {
        queue.at_work = None;
    }
    next
}
