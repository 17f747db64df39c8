//! A bounded memory of what was used before.
//!
//! It is exact: while an id is remembered, nobody gets it a second time, and no id is taken for another. It is bounded by
//! time, since an id is forgotten when it expires, and by count: if there is no more room, new ids are refused, because
//! forgetting one would let it be used again. Nobody takes all of that room: each holder of ids has a share of it.
//!
//! Time only goes forwards here. What has expired by the latest moment that any caller gave may have been forgotten, so it
//! is refused, whatever moment the next caller gives.
//!
//! It may be used by any number of threads at once, which seldom wait for each other: ids are spread over shards by their
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

/// What is remembered: a name of a fixed length, so that every id takes the same room. Its first [`HOLDER_BYTES`] bytes
/// say whose it is.
pub type ReplayId = [u8; 32];

/// How many bytes of an id name its holder, for a DPoP proof the key.
pub const HOLDER_BYTES: usize = 16;

const SHARDS: usize = 16;

/// The ids that were used and have not expired.
pub struct ReplayCache {
    shards: [Mutex<Shard>; SHARDS],
    horizon: Horizon,
    /// How many ids all shards hold, reserved before one is put in: the bound is never passed, not even for a moment.
    count: AtomicUsize,
    capacity: usize,
    share: usize,
}

/// Whether an id may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It was not used before, and is remembered now.
    First,
    /// It was used before.
    Again,
    /// It has expired by the latest moment that any caller gave: it may have been used and forgotten.
    Expired,
    /// It was not used before, and its holder has no more room: nothing has changed.
    ShareFull,
    /// It was not used before, and there is no room to remember it: nothing has changed.
    Full,
}

impl ReplayCache {
    /// An empty memory with room for `capacity` ids, of which each holder may take `share`.
    pub fn new(capacity: NonZeroUsize, share: NonZeroUsize) -> Self {
        Self {
            shards: Default::default(),
            horizon: Horizon::default(),
            count: AtomicUsize::new(0),
            capacity: capacity.get(),
            share: share.get(),
        }
    }

    /// Announces that somebody takes ids for `lifetime` seconds after they were made. If there are several such
    /// lifetimes, every id is kept as long as the longest asks for.
    pub fn retain_for(&self, lifetime: f64) {
        self.horizon.retain_for(lifetime);
    }

    /// Uses an id as of the moment `now`; it is remembered up to and including the moment `expires_at`, in Unix seconds,
    /// and longer if that was asked for by [`retain_for`](Self::retain_for).
    pub fn consume(&self, id: &ReplayId, expires_at: f64, now: UnixTime) -> Use {
        let now = now.seconds();
        match self.try_consume(id, expires_at, now) {
            Use::Full => {
                // Ids that have expired may still take up room in the other shards.
                for shard in &self.shards {
                    self.forget_expired(&mut lock(shard), now);
                }
                self.try_consume(id, expires_at, now)
            }
            answer => answer,
        }
    }

    fn try_consume(&self, id: &ReplayId, expires_at: f64, now: f64) -> Use {
        let mut shard = self.shard(id);
        let horizon = self.forget_expired(&mut shard, now);
        if shard.holds(id, horizon) {
            return Use::Again;
        }
        if self.horizon.is_past(expires_at, horizon) {
            return Use::Expired;
        }
        if shard.held_by(id) >= self.share {
            return Use::ShareFull;
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

    /// How many ids of one holder there is room for.
    pub fn share(&self) -> usize {
        self.share
    }

    /// Forgets what a shard no longer needs, and returns the horizon that it went by. The shard is held meanwhile, so that
    /// nobody else forgets by a later one before the caller is done.
    fn forget_expired(&self, shard: &mut Shard, now: f64) -> f64 {
        let horizon = self.horizon.advance(now);
        self.release(shard.forget_before(horizon));
        horizon
    }

    fn shard(&self, id: &ReplayId) -> MutexGuard<'_, Shard> {
        let [first, ..] = *id;
        let [zeroth, ..] = &self.shards;
        lock(self.shards.get(usize::from(first) % SHARDS).unwrap_or(zeroth))
    }

    /// Takes room for one id, if there is any.
    fn reserve(&self) -> bool {
        let more = |count: usize| (count < self.capacity).then_some(count.saturating_add(1));
        self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn release(&self, ids: usize) {
        self.count.fetch_sub(ids, Ordering::AcqRel);
    }
}

/// A thread that panicked while it held a shard left it whole: each change is one insertion or removal.
///
/// Waits for the thread that holds the shard, for less than a microsecond as a rule: a proof that could not be looked up
/// would have to be refused. In a child of a fork that thread may not exist, so a binding calls this while no fork can
/// happen.
#[allow(clippy::disallowed_methods, reason = "see above")]
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ReplayCache {
    /// Shows how full it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayCache")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
