//! Decisions to be logged: a bounded queue, as the log may be slower than the requests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use watchword_gate::{Decision, TraceId};

/// The maximum number of records that wait to be taken.
const MAX_RECORDS: usize = 4096;

/// A decision.
#[derive(Clone)]
pub struct Record {
    /// The decision.
    pub decision: Decision,
    /// The trace id that the answer has, if the request has none.
    pub trace_id: TraceId,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// When it was made, in Unix seconds.
    pub at: f64,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Records {
    queue: Mutex<VecDeque<Record>>,
    added: Condvar,
    dropped: AtomicU64,
}

impl Records {
    /// Adds a record, unless there are too many.
    pub(crate) fn add(&self, record: Record) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MAX_RECORDS {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.push_back(record);
        if queue.len() == 1 {
            self.added.notify_one();
        }
    }

    /// Takes all records; waits for one, for `timeout` at most.
    pub(crate) fn drain(&self, timeout: Duration) -> Vec<Record> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.added.wait_timeout_while(queue, timeout, |queue| queue.is_empty());
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        std::mem::take(&mut *queue).into()
    }

    /// The number of records that were not taken in time.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
