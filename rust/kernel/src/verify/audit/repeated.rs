//! Tokens that were examined already: a log has most tokens many times.
//!
//! A token is found by all of its bytes, at the place at which it was examined: the same issuer, the same epoch of its keys,
//! the same policy. What depends on the time of a use is not kept here.
//!
//! The hash is fast, and keyed at random: whoever wrote the log has no way to observe it, and so cannot choose tokens that
//! collide.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::mem::{size_of, take};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use foldhash::quality::RandomState;

use super::audited::AuditedToken;
use crate::heap::vector;

/// So many that threads seldom want the same one.
const SHARDS: usize = 16;

/// The tokens that are remembered to have occurred once: by a hash, as most of them may never occur again, and then keeping
/// them would cost more than it saves.
const OCCURRED: usize = 1 << 16;

/// What an entry takes in a table besides its token, half of whose slots may be empty.
const SLOT: usize = 4 * (size_of::<Box<[u8]>>() + size_of::<Arc<AuditedToken>>() + 1);

/// A bounded number of bytes of examined tokens, for several threads.
pub(super) struct RepeatedTokens {
    shards: Vec<Mutex<Shard>>,
    occurred: Vec<AtomicU64>,
    hasher: RandomState,
    shard_bytes: usize,
}

/// Two generations. If the younger is full it becomes the older, whose tokens are dropped unless they occurred meanwhile.
#[derive(Default)]
struct Shard {
    younger: Generation,
    older: Generation,
    bytes: usize,
}

type Generation = HashMap<Box<[u8]>, Arc<AuditedToken>, RandomState>;

impl RepeatedTokens {
    /// Room for this many bytes of tokens and of what is known of them.
    pub(super) fn new(bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let occurred = (0..OCCURRED).map(|_| AtomicU64::default()).collect();
        Self { shards, occurred, hasher: RandomState::default(), shard_bytes: bytes / SHARDS / 2 }
    }

    /// What is known of this token, if it is at the right place.
    pub(super) fn get(
        &self,
        token: &[u8],
        is_at_place: impl FnOnce(&AuditedToken) -> bool,
    ) -> Option<Arc<AuditedToken>> {
        self.with_shard(token, |shard| {
            if let Some(found) = shard.younger.get(token) {
                return is_at_place(found).then(|| Arc::clone(found));
            }
            let (key, found) = shard.older.remove_entry(token)?;
            if !is_at_place(&found) {
                return None;
            }
            self.put(shard, key, Arc::clone(&found));
            Some(found)
        })?
    }

    /// Keeps what is known of this token, in place of what was known before, if it occurs for the second time.
    pub(super) fn insert(&self, token: &[u8], known: &Arc<AuditedToken>) {
        let hash = self.hasher.hash_one(token);
        let slot = usize::try_from(hash).ok().and_then(|hash| self.occurred.get(hash % OCCURRED));
        // Two tokens with one hash would only be kept without need.
        if slot.is_none_or(|slot| slot.swap(hash, Ordering::Relaxed) == hash) {
            self.with_shard(token, |shard| self.put(shard, token.into(), Arc::clone(known)));
        }
    }

    fn put(&self, shard: &mut Shard, token: Box<[u8]>, known: Arc<AuditedToken>) {
        let bytes = SLOT + vector::<u8>(token.len()) + known.size();
        if shard.bytes.saturating_add(bytes) > self.shard_bytes {
            shard.older = take(&mut shard.younger);
            shard.bytes = 0;
        }
        if bytes <= self.shard_bytes {
            shard.bytes = shard.bytes.saturating_add(bytes);
            shard.younger.insert(token, known);
        }
    }

    /// `None` if another thread has the shard, which in a forked child may be for ever: the token is then examined anew.
    fn with_shard<T>(&self, token: &[u8], use_it: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let hash = usize::try_from(self.hasher.hash_one(token.last_chunk::<8>()) >> 32).unwrap_or_default();
        let mut shard = match self.shards.get(hash % SHARDS)?.try_lock() {
            Ok(shard) => shard,
            Err(TryLockError::Poisoned(shard)) => shard.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(use_it(&mut shard))
    }
}
