//! The replay cache: a bounded set of ids that were used.
//!
//! It is exact: an id is accepted once until it expires, and no id is taken for another. It is bounded in time, since
//! expired ids are removed, and in size: if it is full, new ids are rejected, because removing one would allow its reuse.
//! No holder of ids can fill it: each has a share.
//!
//! Its time never goes back. An id that has expired by the latest moment that any caller gave may have been removed, so it
//! is rejected, whatever moment the next caller gives.
//!
//! Any number of threads can use it at once, and they rarely wait for each other: ids are spread over shards by their
//! holder.

mod horizon;
mod shard;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::time::UnixTime;
use horizon::Horizon;
use shard::Shard;

/// An id of fixed length, so that all ids take the same memory. Its first [`HOLDER_BYTES`] bytes identify its holder.
pub type ReplayId = [u8; 32];

/// The number of bytes of an id that identify its holder: for a DPoP proof, the key.
pub const HOLDER_BYTES: usize = 16;

const SHARDS: usize = 16;

/// A bounded, exact set of the ids that were used and have not expired.
pub struct ReplayCache {
    shards: [Mutex<Shard>; SHARDS],
    horizon: Horizon,
    /// The number of ids in all shards. It is increased before an id is inserted, so the capacity is never exceeded.
    count: AtomicUsize,
    capacity: usize,
    share: usize,
}

/// The result of using an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It was not used before, and is recorded now.
    First,
    /// It was used before.
    Again,
    /// It has expired by the latest moment that any caller gave: it may have been used and removed.
    Expired,
    /// It was not used before, but its holder's share is full: it is not recorded.
    ShareFull,
    /// It was not used before, but the cache is full: it is not recorded.
    Full,
}

impl ReplayCache {
    /// The room for ids by default.
    pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

    /// The fraction of the room that one holder may take by default is one by this number.
    const HOLDERS: usize = 8;

    /// An empty cache with room for `capacity` ids, at most an eighth of them of each holder.
    pub fn with_capacity(capacity: NonZeroUsize) -> Self {
        Self::new(capacity, NonZeroUsize::new(capacity.get() / Self::HOLDERS).unwrap_or(NonZeroUsize::MIN))
    }

    /// An empty cache with room for `capacity` ids, at most `share` of each holder.
    pub fn new(capacity: NonZeroUsize, share: NonZeroUsize) -> Self {
        Self {
            shards: Default::default(),
            horizon: Horizon::default(),
            count: AtomicUsize::new(0),
            capacity: capacity.get(),
            share: share.get(),
        }
    }

    /// Announces a caller that accepts ids for `lifetime` seconds after they were created. If several lifetimes are
    /// announced, every id is kept for the longest.
    pub fn retain_for(&self, lifetime: f64) {
        self.horizon.retain_for(lifetime);
    }

    /// Uses an id as of `now`. It is kept up to and including `expires_at`, in Unix seconds, and longer if
    /// [`retain_for`](Self::retain_for) announced a longer lifetime.
    pub fn consume(&self, id: &ReplayId, expires_at: f64, now: UnixTime) -> Use {
        let now = now.seconds();
        match self.try_consume(id, expires_at, now) {
            Use::Full => {
                // The other shards may still contain expired ids.
                for shard in &self.shards {
                    self.remove_expired(&mut lock(shard), now);
                }
                self.try_consume(id, expires_at, now)
            }
            answer => answer,
        }
    }

    fn try_consume(&self, id: &ReplayId, expires_at: f64, now: f64) -> Use {
        let mut shard = self.shard(id);
        let horizon = self.remove_expired(&mut shard, now);
        if shard.contains(id, horizon) {
            return Use::Again;
        }
        if self.horizon.is_past(expires_at, horizon) {
            return Use::Expired;
        }
        if shard.count_of_holder(id) >= self.share {
            return Use::ShareFull;
        }
        if !self.reserve() {
            return Use::Full;
        }
        self.release(shard.insert(id, expires_at));
        Use::First
    }

    /// The number of ids, including expired ones that are not removed yet.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The maximum number of ids.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The maximum number of ids of one holder.
    pub fn share(&self) -> usize {
        self.share
    }

    /// Removes the expired ids of a shard, and returns the horizon that was applied. The shard stays locked, so that no
    /// other thread applies a later one before the caller is done.
    fn remove_expired(&self, shard: &mut Shard, now: f64) -> f64 {
        let horizon = self.horizon.advance(now);
        self.release(shard.remove_before(horizon));
        horizon
    }

    fn shard(&self, id: &ReplayId) -> MutexGuard<'_, Shard> {
        let [first, ..] = *id;
        let [zeroth, ..] = &self.shards;
        lock(self.shards.get(usize::from(first) % SHARDS).unwrap_or(zeroth))
    }

    /// Reserves room for one id, if there is any.
    fn reserve(&self) -> bool {
        let more = |count: usize| (count < self.capacity).then_some(count.saturating_add(1));
        self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn release(&self, ids: usize) {
        self.count.fetch_sub(ids, Ordering::AcqRel);
    }
}

/// Locks a shard. A thread that panicked while it had the lock left the shard consistent: each change is one insertion or
/// removal.
///
/// This waits for the thread that has the lock, usually for less than a microsecond: a proof that could not be looked up
/// would have to be rejected. In a child of a fork that thread may not exist, so a binding calls this while no fork can
/// happen.
#[allow(clippy::disallowed_methods, reason = "see above")]
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ReplayCache {
    /// Writes the number of ids and the capacity.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayCache")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
