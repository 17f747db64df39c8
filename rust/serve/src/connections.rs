//! The open connections of one kind of listener, and their limit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::phase::Activity;

/// How many connections are closed at once if there are too many: choosing them reads the state of all.
const EVICTED_AT_ONCE: usize = 16;

/// The open connections.
pub(crate) struct Connections {
    limit: usize,
    epoch: Instant,
    open: Mutex<Open>,
    /// Notified when the last one is closed.
    empty: Notify,
    pub(crate) counts: ConnectionCounts,
}

#[derive(Default)]
struct Open {
    is_stopping: bool,
    next: u64,
    by_id: HashMap<u64, Entry>,
}

struct Entry {
    activity: Arc<Activity>,
    /// Of the task, once it runs.
    task: Option<AbortHandle>,
}

/// Counters, since the start.
#[derive(Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) evicted: AtomicU64,
    pub(crate) timed_out: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
}

/// One open connection; it is closed with this object.
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) activity: Arc<Activity>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            epoch: Instant::now(),
            open: Mutex::default(),
            empty: Notify::new(),
            counts: ConnectionCounts::default(),
        }
    }

    /// Registers a new connection. If there are too many, the ones are closed that have waited longest without a request; if
    /// all are being answered, the new one is refused.
    ///
    /// Were new ones refused instead, connections that send nothing would keep all others out.
    pub(crate) fn open(self: &Arc<Self>) -> Option<Connection> {
        let mut open = self.lock();
        if open.by_id.len() >= self.limit && self.evict(&mut open) == 0 {
            count(&self.counts.refused);
            return None;
        }
        count(&self.counts.accepted);
        let (id, activity) = (open.next, Arc::new(Activity::new(self.epoch)));
        open.next = open.next.wrapping_add(1);
        if open.is_stopping {
            activity.stop.notify_one();
        }
        open.by_id.insert(id, Entry { activity: Arc::clone(&activity), task: None });
        Some(Connection { id, activity, connections: Arc::clone(self) })
    }

    /// Keeps how to end the task of a connection, unless it has ended.
    pub(crate) fn started(&self, id: u64, task: AbortHandle) {
        if let Some(entry) = self.lock().by_id.get_mut(&id) {
            entry.task = Some(task);
        }
    }

    /// Closes the connections that have waited longest. Returns how many.
    pub(crate) fn evict_some(&self) -> usize {
        self.evict(&mut self.lock())
    }

    fn evict(&self, open: &mut Open) -> usize {
        let mut idle: Vec<_> = open
            .by_id
            .iter()
            .filter(|(_, entry)| entry.task.is_some())
            .filter_map(|(id, entry)| Some((entry.activity.rank()?, *id)))
            .collect();
        if idle.len() > EVICTED_AT_ONCE {
            idle.select_nth_unstable(EVICTED_AT_ONCE);
            idle.truncate(EVICTED_AT_ONCE);
        }
        for (_, id) in &idle {
            if let Some(task) = open.by_id.remove(id).and_then(|entry| entry.task) {
                task.abort();
                count(&self.counts.evicted);
            }
        }
        idle.len()
    }

    /// Tells all connections that the server stops.
    pub(crate) fn stop(&self) {
        let mut open = self.lock();
        open.is_stopping = true;
        for entry in open.by_id.values() {
            entry.activity.stop.notify_one();
        }
    }

    /// Returns when no connection is open.
    pub(crate) async fn closed(&self) {
        loop {
            let notified = self.empty.notified();
            if self.lock().by_id.is_empty() {
                return;
            }
            notified.await;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.by_id.remove(&self.id);
        if open.by_id.is_empty() {
            self.connections.empty.notify_waiters();
        }
    }
}

impl Connection {
    pub(crate) fn counts(&self) -> &ConnectionCounts {
        &self.connections.counts
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
