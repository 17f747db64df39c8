//! Verified tokens, remembered: the same token is presented again with each request of its holder.
//!
//! A hit stands for everything that follows from the token, the policy and the keys alone. What else a verdict depends on
//! is judged anew each time: the moment (`exp`, `nbf`, `iat`), and the binding to a key with the proof that came.
//!
//! A token is found by all of its bytes, compared in full, and only under the very policy and key set that it was
//! verified with. Where a set is replaced, nothing that it vouched for is found any more. Only valid tokens are kept.
//!
//! # The hash
//!
//! Whoever sends tokens must not be able to choose many that fall into one place of the table, where each would be compared
//! with all. The hash is therefore keyed, by a key that the operating system gives ([`RandomState`]), and it is of the
//! token's length and its last [`HASHED`] bytes, which are the end of its signature. That is enough:
//!
//! - What is *in* the table are tokens that were valid. That two of them, of one key, have the same end of a signature
//!   is as unlikely as that somebody forges one: it takes 2^128 attempts, for the issuer, too. (A second key can be made
//!   to fit another's signature. A set has 256 keys at most, and so may a place of the table have tokens of that kind.)
//! - What is *looked up* may be anything, for instance a valid token with another payload. It is compared with the one
//!   token whose end it has, and differs: no work that grows, and nothing that is remembered.
//!
//! To hash the whole token would take longer than everything else in a look-up.
//!
//! # The bytes
//!
//! What is counted of a token is what it holds, as allocators round it. Its scopes are compiled later, if at all; a quarter
//! of the cache is set aside for that, and compiled scopes that do not fit are not kept.
//!
//! # Forks
//!
//! No verdict waits for a lock here: a shard that is being written to is passed by. [`TokenCache::clear`] does wait. A
//! binding calls all of it while a fork cannot happen (for Python: with the interpreter attached), so that a child finds
//! it at rest.

use std::fmt;
use std::hash::{Hash, Hasher, RandomState};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Lifecycle, Weighter};

use super::Refusal;
use super::matchers::Quota;
use crate::dpop::{DpopProof, UnverifiedProof};
use crate::heap::{allocated, vector};
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;
use crate::verify::{self, VerifiedToken};

/// A memory of verified tokens, bounded by bytes. It may be used by any number of threads at once, and never makes one
/// wait for another.
pub struct TokenCache {
    cache: Cache<Key, Arc<Remembered>, Bytes, RandomState, CountEvictions>,
    max_bytes: u64,
    /// What compiled scopes may take.
    compiled: Arc<Quota>,
    held: Arc<Held>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

/// What the entries are and take, counted as they come and go, so that nobody has to ask the shards.
#[derive(Default)]
struct Held {
    tokens: AtomicUsize,
    bytes: AtomicU64,
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
    /// The bytes that they take, with their compiled scopes, about.
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
    bytes: u64,
    held: Arc<Held>,
}

impl TokenCache {
    /// A cache whose tokens take at most so many bytes.
    pub fn new(max_bytes: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let likely = usize::try_from(max_bytes / LIKELY_BYTES).unwrap_or(usize::MAX).max(1);
        let lifecycle = CountEvictions(Arc::clone(&evictions));
        let for_scopes = max_bytes / SHARE_OF_SCOPES;
        let for_tokens = max_bytes.saturating_sub(for_scopes);
        let cache = Cache::with(likely, for_tokens, Bytes, RandomState::new(), lifecycle);
        Self {
            cache,
            max_bytes,
            compiled: Quota::new(usize::try_from(for_scopes).unwrap_or(usize::MAX)),
            held: Arc::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions,
        }
    }

    /// The verdict on a token that is remembered; `None` where it is not, or where it is not valid at this moment: then
    /// [`verify`](Self::verify) says what is wrong with it.
    ///
    /// # Errors
    /// Those of the binding to a key, as [`verify_with_proof`](crate::verify_with_proof) would give them.
    pub fn get(&self, presented: &Presented<'_>) -> Option<Result<Arc<VerifiedToken>, Refusal>> {
        let found = self.find(presented)?;
        Some(match found.check_binding(presented.token, presented.policy, presented.proof) {
            Ok(()) => Ok(found),
            Err(error) => Err(Refusal::of_signed(found.jws().clone(), error)),
        })
    }

    /// The token as it is remembered, if it is valid at this moment; its binding to a key is not checked.
    fn find(&self, presented: &Presented<'_>) -> Option<Arc<VerifiedToken>> {
        let Presented { token, keys, policy, now, .. } = *presented;
        // A shard that is being written to is passed by: verifying the token anew is right, too.
        let found = self.cache.try_get(&Wanted { policy, token }).ok()??;
        if !std::ptr::eq(found.keys.as_ptr(), Arc::as_ptr(keys)) || !found.token.is_valid_at(policy, now) {
            return None;
        }
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(Arc::clone(&found.token))
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
        let verified = Arc::new(verdict.unwrap_or_else(judge)?.kept_within(&self.compiled));
        self.remember(presented, &verified);
        Ok(verified)
    }

    /// The verdict of [`verify_request`](crate::verify_request) on a token and the proof that came with it, in place of
    /// `presented.proof`, which takes no part. A token that is remembered costs no verification, and is remembered even
    /// if the proof is refused: its binding is checked each time. `unhurried` is as in [`verify`](Self::verify).
    ///
    /// # Errors
    /// As [`verify_request`](crate::verify_request).
    pub fn verify_request(
        &self,
        presented: &Presented<'_>,
        proof: &UnverifiedProof<'_>,
        unhurried: impl FnOnce(&mut (dyn FnMut() + Send)),
    ) -> Result<(Arc<VerifiedToken>, DpopProof), Refusal> {
        let Presented { token, keys, policy, now, .. } = *presented;
        let found = self.find(presented);
        if found.is_none() {
            self.misses.fetch_add(1, Ordering::Relaxed);
        }
        let judge = || {
            let verified = match &found {
                Some(found) => Arc::clone(found),
                None => Arc::new(verify::before_binding(token, keys, policy, now)?.kept_within(&self.compiled)),
            };
            let proof = verified.check_proof(token, proof, now);
            Ok::<_, Refusal>((verified, proof))
        };
        let mut verdict = None;
        unhurried(&mut || verdict = Some(judge()));
        let (verified, proof) = verdict.unwrap_or_else(judge)?;
        if found.is_none() {
            self.remember(presented, &verified);
        }
        match proof {
            Ok(proof) => Ok((verified, proof)),
            Err(error) => Err(Refusal::of_signed(verified.jws().clone(), error)),
        }
    }

    fn remember(&self, presented: &Presented<'_>, verified: &Arc<VerifiedToken>) {
        let key = Key { policy: Arc::downgrade(presented.policy), token: presented.token.into() };
        let remembered = Remembered::new(&key, verified, presented.keys, &self.held);
        // Not remembered where the shard is busy: it will come again.
        let _ = self.cache.try_insert(key, remembered);
    }

    /// Forgets every token. Waits for those who are putting one in.
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// How the cache stands now.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            tokens: self.held.tokens.load(Ordering::Relaxed),
            bytes: self
                .held
                .bytes
                .load(Ordering::Relaxed)
                .saturating_add(u64::try_from(self.compiled.taken()).unwrap_or(u64::MAX)),
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

/// How much of a token's end is hashed: 288 bits of a signature, of the short kinds the whole of its second half.
const HASHED: usize = 48;

fn hash<H: Hasher>(token: &[u8], state: &mut H) {
    let end = token.last_chunk::<HASHED>().map_or(token, |end| end);
    state.write_usize(token.len());
    state.write(end);
}

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.token, state);
    }
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        std::ptr::eq(key.policy.as_ptr(), Arc::as_ptr(self.policy)) && *key.token == *self.token
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.token, state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.policy, &other.policy) && self.token == other.token
    }
}

impl Eq for Key {}

impl Remembered {
    fn new(key: &Key, token: &Arc<VerifiedToken>, keys: &Arc<KeySet>, held: &Arc<Held>) -> Arc<Self> {
        // The place in the table: it grows by doubling, and keeps ghosts of what it evicted.
        const PLACE: usize = 4 * (size_of::<Key>() + size_of::<Arc<Remembered>>() + 21);
        let itself = allocated(2 * size_of::<usize>() + size_of::<Self>());
        let bytes = PLACE + itself + vector::<u8>(key.token.len()) + token.size();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        held.tokens.fetch_add(1, Ordering::Relaxed);
        held.bytes.fetch_add(bytes, Ordering::Relaxed);
        let (token, keys, held) = (Arc::clone(token), Arc::downgrade(keys), Arc::clone(held));
        Arc::new(Self { token, keys, bytes, held })
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        self.held.tokens.fetch_sub(1, Ordering::Relaxed);
        self.held.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a token is likely to take, which decides how many shards there are.
const LIKELY_BYTES: u64 = 4096;

/// The part of a cache that is for compiled scopes: a quarter.
const SHARE_OF_SCOPES: u64 = 4;

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Remembered>> for Bytes {
    fn weight(&self, _: &Key, value: &Arc<Remembered>) -> u64 {
        value.bytes
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
