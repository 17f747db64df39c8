//! A cache of verified tokens: a client sends the same token with each of its requests.
//!
//! A hit replaces all checks that depend on the token, the policy and the keys alone. What else a verdict depends on is
//! checked at every hit: the time (`exp`, `nbf`, `iat`), and the binding with the proof or the certificate that was sent.
//!
//! A token is found by all of its bytes, compared in full, and only for the same policy and key set that it was verified
//! with. When a set is replaced, none of the tokens that it verified is found any more. Only valid tokens are kept.
//!
//! The cache itself does not verify. [`get`](TokenCache::get) returns a [`CheckedToken`], or a [`CacheMiss`] that verifies
//! the token and makes a [`CheckedToken`] of it, which [`insert`](TokenCache::insert) keeps. Either way the binding is then
//! checked, which is the only way from a [`CheckedToken`] to the [`VerifiedToken`](crate::VerifiedToken).
//!
//! # The bytes
//!
//! The size of a token is that of all it owns, as allocators round it. Its scopes are compiled later, if at all; a quarter
//! of the cache is reserved for that, and compiled scopes that do not fit are not kept.
//!
//! # Forks
//!
//! No verdict waits for a lock here: a shard that is being written to is skipped. [`TokenCache::clear`] does wait. A
//! binding calls all of it while a fork cannot happen (for Python: with the interpreter attached), so that a child finds
//! no shard half written.

mod entry;
mod lookup;

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use super::compiled_scopes::Quota;
use entry::{ByBytes, CountEvictions, Entry, Key, KeyRef, Totals};
pub use lookup::{CacheLookup, CacheMiss, CheckedToken};

/// What a token is likely to take, which decides how many shards there are.
const LIKELY_BYTES: u64 = 4096;

/// The part of a cache that is for compiled scopes: a quarter.
const SHARE_OF_SCOPES: u64 = 4;

/// A cache of verified tokens, bounded by bytes. Any number of threads can use it at once, and none waits for another.
pub struct TokenCache {
    cache: Cache<Key, Arc<Entry>, ByBytes, RandomState, CountEvictions>,
    max_bytes: u64,
    compiled_scopes: Arc<Quota>,
    totals: Arc<Totals>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

/// The counters of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Tokens that were found and still valid.
    pub hits: u64,
    /// Tokens that were not.
    pub misses: u64,
    /// Tokens that were evicted for others.
    pub evictions: u64,
    /// The tokens in the cache.
    pub tokens: usize,
    /// The bytes that they take, with their compiled scopes, approximately.
    pub bytes: u64,
    /// The bytes that they may take.
    pub max_bytes: u64,
}

impl TokenCache {
    /// A cache whose tokens take at most `max_bytes` bytes.
    pub fn new(max_bytes: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let likely = usize::try_from(max_bytes / LIKELY_BYTES).unwrap_or(usize::MAX).max(1);
        let lifecycle = CountEvictions(Arc::clone(&evictions));
        let for_scopes = max_bytes / SHARE_OF_SCOPES;
        let for_tokens = max_bytes.saturating_sub(for_scopes);
        let cache = Cache::with(likely, for_tokens, ByBytes, RandomState::new(), lifecycle);
        Self {
            cache,
            max_bytes,
            compiled_scopes: Quota::new(usize::try_from(for_scopes).unwrap_or(usize::MAX)),
            totals: Arc::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions,
        }
    }

    /// The token, if it is in the cache and still valid at the time of the lookup. Its binding is not checked yet:
    /// [`CheckedToken`] does that.
    ///
    /// # Errors
    /// [`CacheMiss`] if it is not: [`CacheMiss::verify`] returns the verdict.
    pub fn get<'a>(&self, lookup: CacheLookup<'a>) -> Result<CheckedToken<'a>, CacheMiss<'a>> {
        match self.find(&lookup) {
            Some(token) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Ok(CheckedToken::new(lookup, token))
            }
            None => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                Err(CacheMiss::new(lookup, Arc::clone(&self.compiled_scopes)))
            }
        }
    }

    fn find(&self, lookup: &CacheLookup<'_>) -> Option<Arc<super::VerifiedToken>> {
        let CacheLookup { token, keys, policy, now } = *lookup;
        // A shard that is being written to is skipped: verifying the token again gives the same verdict.
        let entry = self.cache.try_get(&KeyRef { policy, token }).ok()??;
        entry.token_for(keys).filter(|token| token.check_times(policy, now).is_ok()).map(Arc::clone)
    }

    /// Keeps a token for later lookups with the same policy and key set.
    pub fn insert(&self, checked: &CheckedToken<'_>) {
        let (CacheLookup { token, keys, policy, now: _ }, verified) = checked.parts();
        let key = Key::new(policy, token);
        let entry = Entry::new(&key, verified, keys, &self.totals);
        // Not kept if the shard is busy: the token will be sent again.
        let _ = self.cache.try_insert(key, entry);
    }

    /// Removes every token. Waits for threads that are inserting one.
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// The counters at this moment.
    pub fn stats(&self) -> CacheStats {
        let (tokens, bytes) = self.totals.get();
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            tokens,
            bytes: bytes.saturating_add(u64::try_from(self.compiled_scopes.used()).unwrap_or(u64::MAX)),
            max_bytes: self.max_bytes,
        }
    }
}

impl fmt::Debug for TokenCache {
    /// Shows the counters, nothing of the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache").field(&self.stats()).finish()
    }
}
