//! Verified tokens, remembered: the same token is presented again with each request of its holder.
//!
//! A hit stands for everything that follows from the token, the policy and the keys alone. What else a verdict depends on
//! is judged anew each time: the moment (`exp`, `nbf`, `iat`), and the binding to a key with the proof that came.
//!
//! A token is found by all of its bytes, compared in full, and only under the very policy and key set that it was
//! verified with. Where a set is replaced, nothing that it vouched for is found any more. Only valid tokens are kept.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, Weighter};

use crate::dpop::DpopProof;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::time::UnixTime;
use crate::verify::{self, VerifiedToken};

/// A memory of verified tokens, bounded by bytes. It may be used by any number of threads at once, and never makes one
/// wait for another.
pub struct TokenCache {
    cache: Cache<Key, Arc<Remembered>, Bytes, DefaultHashBuilder, CountEvictions>,
    max_bytes: u64,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

/// How a cache stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Tokens that were found, and valid still.
    pub hits: u64,
    /// Tokens that went through every check.
    pub misses: u64,
    /// Tokens that gave way to others.
    pub evictions: u64,
    /// How many tokens are remembered.
    pub tokens: usize,
    /// The bytes that they take, about.
    pub bytes: u64,
    /// The bytes that they may take.
    pub max_bytes: u64,
}

/// What a verification is of.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token.
    pub token: &'a [u8],
    /// The keys to verify it with.
    pub keys: &'a Arc<KeySet>,
    /// What is demanded of it.
    pub policy: &'a Arc<Policy>,
    /// The moment of judgement.
    pub now: UnixTime,
    /// The proof that came with it.
    pub proof: Option<&'a DpopProof>,
}

struct Key {
    policy: Weak<Policy>,
    token: Box<[u8]>,
}

struct Remembered {
    token: Arc<VerifiedToken>,
    keys: Weak<KeySet>,
}

impl TokenCache {
    /// A cache whose tokens take at most so many bytes.
    pub fn new(max_bytes: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let likely = usize::try_from(max_bytes / LIKELY_BYTES).unwrap_or(usize::MAX).max(1);
        let lifecycle = CountEvictions(Arc::clone(&evictions));
        let cache = Cache::with(likely, max_bytes, Bytes, DefaultHashBuilder::default(), lifecycle);
        Self { cache, max_bytes, hits: AtomicU64::new(0), misses: AtomicU64::new(0), evictions }
    }

    /// The verdict on a token that is remembered; `None` where it is not, or where it is not valid at this moment: then
    /// [`verify`](Self::verify) says what is wrong with it.
    ///
    /// # Errors
    /// Those of the binding to a key, as [`verify_with_proof`](crate::verify_with_proof) would give them.
    pub fn get(&self, presented: &Presented<'_>) -> Option<Result<Arc<VerifiedToken>, Refusal>> {
        let Presented { token, keys, policy, now, proof } = *presented;
        // A shard that is being written to is passed by: verifying the token anew is right, too.
        let found = self.cache.try_get(&Wanted { policy, token }).ok()??;
        if !std::ptr::eq(found.keys.as_ptr(), Arc::as_ptr(keys)) || !found.token.is_valid_at(policy, now) {
            return None;
        }
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(match found.token.check_binding(token, policy, proof) {
            Ok(()) => Ok(Arc::clone(&found.token)),
            Err(error) => Err(Refusal::of_signed(found.token.jws().clone(), error)),
        })
    }

    /// The verdict on a token: that of [`verify_with_proof`](crate::verify_with_proof), or of [`verify`](crate::verify())
    /// where there is no proof. `unhurried` runs the work of a token that is not remembered: a binding lets go of locks
    /// there.
    ///
    /// # Errors
    /// As [`verify_with_proof`](crate::verify_with_proof).
    pub fn verify(
        &self,
        presented: &Presented<'_>,
        unhurried: impl FnOnce(&mut (dyn FnMut() + Send)),
    ) -> Result<Arc<VerifiedToken>, Refusal> {
        if let Some(verdict) = self.get(presented) {
            return verdict;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let Presented { token, keys, policy, now, proof } = *presented;
        let judge = || verify::judge(token, keys, policy, now, proof);
        let mut verdict = None;
        unhurried(&mut || verdict = Some(judge()));
        let verified = Arc::new(verdict.unwrap_or_else(judge)?);
        let key = Key { policy: Arc::downgrade(policy), token: token.into() };
        let remembered = Remembered { token: Arc::clone(&verified), keys: Arc::downgrade(keys) };
        // Not remembered where the shard is busy: it will come again.
        let _ = self.cache.try_insert(key, Arc::new(remembered));
        Ok(verified)
    }

    /// Forgets every token.
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// How the cache stands now.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            tokens: self.cache.len(),
            bytes: self.cache.weight(),
            max_bytes: self.max_bytes,
        }
    }
}

impl fmt::Debug for TokenCache {
    /// Shows the numbers, nothing of the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache").field(&self.stats()).finish()
    }
}

/// What is looked up. A policy is known by its place in memory, which no other takes while the entry holds on to it.
struct Wanted<'a> {
    policy: &'a Arc<Policy>,
    token: &'a [u8],
}

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.token);
    }
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        std::ptr::eq(key.policy.as_ptr(), Arc::as_ptr(self.policy)) && *key.token == *self.token
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.token);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.policy, &other.policy) && self.token == other.token
    }
}

impl Eq for Key {}

/// What a token is likely to take, which decides how many shards there are.
const LIKELY_BYTES: u64 = 4096;

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Remembered>> for Bytes {
    fn weight(&self, key: &Key, value: &Arc<Remembered>) -> u64 {
        // Beside the entry itself, the table that it stands in: it grows by doubling and keeps ghosts of what it evicted.
        let fixed = size_of::<Remembered>() + 4 * (size_of::<Key>() + size_of::<Arc<Remembered>>() + 21);
        u64::try_from(fixed + key.token.len() + value.token.size()).unwrap_or(u64::MAX)
    }
}

#[derive(Clone)]
struct CountEvictions(Arc<AtomicU64>);

impl Lifecycle<Key, Arc<Remembered>> for CountEvictions {
    type RequestState = <DefaultLifecycle<Key, Arc<Remembered>> as Lifecycle<Key, Arc<Remembered>>>::RequestState;

    fn on_evict(&self, _: &mut Self::RequestState, _: Key, _: Arc<Remembered>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
