//! A bounded memory of what was used before.
//!
//! It is exact: while an id is remembered, nobody gets it a second time, and no id is taken for another. It is bounded by
//! time, since an id is forgotten when it expires, and by count: where there is no more room, new ids are refused, for
//! forgetting one would let it be used again. It may be used by any number of threads at once, which seldom wait for each
//! other: ids are spread over shards by their first byte.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::time::UnixTime;

/// What is remembered: a hash, so that every id takes the same room.
pub type ReplayId = [u8; 32];

const SHARDS: usize = 16;

/// The ids that were used and have not expired.
pub struct ReplayCache {
    shards: [Mutex<Shard>; SHARDS],
    /// How many ids all shards hold, reserved before one is put in: the bound is never passed, not even for a moment.
    count: AtomicUsize,
    capacity: usize,
}

/// Whether an id may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It was not used before, and is remembered now.
    First,
    /// It was used before.
    Again,
    /// It was not used before, and there is no room to remember it: nothing has changed.
    Full,
}

#[derive(Default)]
struct Shard {
    /// The ids, and when each expires, in Unix seconds.
    ids: HashMap<ReplayId, f64>,
    /// The same ids by the second in which they expire, so that those that have are found without a search.
    by_second: BTreeMap<i64, Vec<ReplayId>>,
}

impl ReplayCache {
    /// An empty memory with room for `capacity` ids.
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { shards: Default::default(), count: AtomicUsize::new(0), capacity: capacity.get() }
    }

    /// Uses an id as of the moment `now`; it is remembered up to and including the moment `expires_at`, in Unix seconds.
    pub fn consume(&self, id: &ReplayId, expires_at: f64, now: UnixTime) -> Use {
        let now = now.seconds();
        {
            let mut shard = self.shard(id);
            self.release(shard.forget_expired(now));
            if shard.holds(id, now) {
                return Use::Again;
            }
            if self.reserve() {
                self.release(shard.insert(id, expires_at));
                return Use::First;
            }
        }
        // Full: ids that have expired may still take up room in the other shards.
        self.forget_expired(now);
        let mut shard = self.shard(id);
        if shard.holds(id, now) {
            return Use::Again;
        }
        if !self.reserve() {
            return Use::Full;
        }
        self.release(shard.insert(id, expires_at));
        Use::First
    }

    /// How many ids are remembered, counting those that have expired since anybody looked.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many ids there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    fn forget_expired(&self, now: f64) {
        for shard in &self.shards {
            let forgotten = lock(shard).forget_expired(now);
            self.release(forgotten);
        }
    }

    fn shard(&self, id: &ReplayId) -> MutexGuard<'_, Shard> {
        let [first, ..] = *id;
        let [zeroth, ..] = &self.shards;
        lock(self.shards.get(usize::from(first) % SHARDS).unwrap_or(zeroth))
    }

    /// Takes room for one id, where there is any.
    fn reserve(&self) -> bool {
        let more = |count: usize| (count < self.capacity).then_some(count.saturating_add(1));
        self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn release(&self, ids: usize) {
        self.count.fetch_sub(ids, Ordering::AcqRel);
    }
}

impl Shard {
    fn holds(&self, id: &ReplayId, now: f64) -> bool {
        self.ids.get(id).is_some_and(|expires_at| now <= *expires_at)
    }

    /// Returns how many ids it takes the place of: one where the same id was there and had expired.
    fn insert(&mut self, id: &ReplayId, expires_at: f64) -> usize {
        self.by_second.entry(second(expires_at)).or_default().push(*id);
        usize::from(self.ids.insert(*id, expires_at).is_some())
    }

    /// Forgets what expired before the current second, and returns how many ids that were.
    fn forget_expired(&mut self, now: f64) -> usize {
        let mut forgotten = 0;
        while let Some(entry) = self.by_second.first_entry() {
            let expired = *entry.key();
            if expired >= second(now) {
                break;
            }
            for id in entry.remove() {
                // One that was used again after it had expired is listed twice: under its old second, and its new one.
                if self.ids.get(&id).is_some_and(|expires_at| second(*expires_at) == expired) {
                    self.ids.remove(&id);
                    forgotten += 1;
                }
            }
        }
        forgotten
    }
}

/// The second that a moment lies in. Moments that no i64 can hold, and NaN, become the nearest one that it can, or 0.
#[allow(clippy::as_conversions, reason = "a conversion from float to int saturates, and has no other form")]
fn second(moment: f64) -> i64 {
    moment.floor() as i64
}

/// A thread that panicked while it held a shard left it whole: each change is one insertion or removal.
///
/// Waits for whoever has the shard, for less than a microsecond as a rule: a proof that could not be looked up would have
/// to be refused. In a child of a fork that person may not exist, so that a binding calls this while no fork can happen.
#[allow(clippy::disallowed_methods, reason = "see above")]
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ReplayCache {
    /// Shows how full it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayCache").field("len", &self.len()).field("capacity", &self.capacity).finish()
    }
}
