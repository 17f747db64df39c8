//! The entries of a cache: how they are found, and how their bytes are counted.
//!
//! # The hash
//!
//! Somebody who sends tokens must not be able to choose many that collide in the table, where each would be compared with
//! all. The hash is therefore keyed, by a key that the operating system gives ([`RandomState`](std::hash::RandomState)),
//! and it is of the token's length and its last [`HASHED`] bytes, which are the end of its signature. That is enough:
//!
//! - *In* the table are only tokens that were valid. That two of them, of one key, have the same end of a signature is as
//!   unlikely as a forgery: it takes 2^128 attempts, for the issuer, too. (A second key can be made to fit another's
//!   signature. A set has 256 keys at most, and so a bucket may have at most as many tokens of that kind.)
//! - A token that is *looked up* may be anything, for instance a valid token with another payload. It is compared with the
//!   one token that has the same end, and differs: the work does not grow, and nothing is kept.
//!
//! To hash the whole token would take longer than everything else in a lookup.

use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::DefaultLifecycle;
use quick_cache::{Equivalent, Lifecycle, Weighter};

use crate::heap::{allocated, vector};
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::verify::VerifiedToken;

/// How many bytes of a token's end are hashed: 288 bits of a signature, of the short kinds the whole of its second half.
const HASHED: usize = 48;

/// The key of an entry. A policy is known by its address, which no other takes as long as the entry refers to it.
pub(super) struct Key {
    policy: Weak<Policy>,
    token: Box<[u8]>,
}

/// The same, borrowed: what is looked up.
pub(super) struct KeyRef<'a> {
    pub(super) policy: &'a Arc<Policy>,
    pub(super) token: &'a [u8],
}

/// A token in the cache, and the keys that it was verified with.
pub(super) struct Entry {
    token: Arc<VerifiedToken>,
    keys: Weak<KeySet>,
    bytes: u64,
    totals: Arc<Totals>,
}

/// The number and the bytes of all entries, counted as these are made and dropped, so that nobody has to ask the shards.
#[derive(Default)]
pub(super) struct Totals {
    tokens: AtomicUsize,
    bytes: AtomicU64,
}

impl Key {
    pub(super) fn new(policy: &Arc<Policy>, token: &[u8]) -> Self {
        Self { policy: Arc::downgrade(policy), token: token.into() }
    }
}

fn hash<H: Hasher>(token: &[u8], state: &mut H) {
    let end = token.last_chunk::<HASHED>().map_or(token, |end| end);
    state.write_usize(token.len());
    state.write(end);
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.token, state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
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

impl Entry {
    pub(super) fn new(key: &Key, token: &Arc<VerifiedToken>, keys: &Arc<KeySet>, totals: &Arc<Totals>) -> Arc<Self> {
        // The slot in the table: it grows by doubling, and keeps ghosts of what it evicted.
        const SLOT: usize = 4 * (size_of::<Key>() + size_of::<Arc<Entry>>() + 21);
        let itself = allocated(2 * size_of::<usize>() + size_of::<Self>());
        let bytes = SLOT + itself + vector::<u8>(key.token.len()) + token.size();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        totals.tokens.fetch_add(1, Ordering::Relaxed);
        totals.bytes.fetch_add(bytes, Ordering::Relaxed);
        let (token, keys, totals) = (Arc::clone(token), Arc::downgrade(keys), Arc::clone(totals));
        Arc::new(Self { token, keys, bytes, totals })
    }

    /// The token, if it was verified with this very key set.
    pub(super) fn token_for(&self, keys: &Arc<KeySet>) -> Option<&Arc<VerifiedToken>> {
        std::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys)).then_some(&self.token)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.totals.tokens.fetch_sub(1, Ordering::Relaxed);
        self.totals.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Totals {
    /// How many tokens there are, and the bytes that they take.
    pub(super) fn get(&self) -> (usize, u64) {
        (self.tokens.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

#[derive(Clone)]
pub(super) struct ByBytes;

impl Weighter<Key, Arc<Entry>> for ByBytes {
    fn weight(&self, _: &Key, value: &Arc<Entry>) -> u64 {
        value.bytes
    }
}

#[derive(Clone)]
pub(super) struct CountEvictions(pub(super) Arc<AtomicU64>);

impl Lifecycle<Key, Arc<Entry>> for CountEvictions {
    type RequestState = <DefaultLifecycle<Key, Arc<Entry>> as Lifecycle<Key, Arc<Entry>>>::RequestState;

    fn on_evict(&self, _: &mut Self::RequestState, _: Key, _: Arc<Entry>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
