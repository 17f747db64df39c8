//! A process-wide cache of parsed keys.
//!
//! The same keys are loaded repeatedly: a set is fetched again with the same keys, a client signs each of its proofs
//! with the same key. The cache keeps what was computed for a key, its decoded point and its table. It is bounded and
//! affects no verdict: what it contains about a key follows from the key's parameters alone.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use once_cell::race::OnceBox;

use crate::fork_safety::lock_with_retries;
use crate::key_params::{KeyDefect, KeyParams};
use crate::signature::{KeyOptions, Verifier};

/// The parameters of a key, checked, and what is computed from them.
pub(super) struct CachedKey {
    pub(super) params: KeyParams,
    pub(super) verifier: Verifier,
    thumbprint: OnceBox<String>,
}

/// The bytes that one generation of the cache may take; there are two.
const MAX_BYTES: usize = 1024 * 1024;

/// The approximate bytes that a key takes beside its own parameters.
const OVERHEAD: usize = 512;

/// Two generations of keys: those used recently, and those used before. When the first is full it replaces the second,
/// whose keys are dropped unless they are used elsewhere.
#[derive(Default)]
struct Cache {
    recent: HashSet<ByParams>,
    recent_bytes: usize,
    earlier: HashSet<ByParams>,
}

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

/// The cache, locked during a fork: see [`fork_safety`](crate::fork_safety).
pub(crate) struct CacheLock(
    #[expect(dead_code, reason = "locked until it is dropped")] Option<MutexGuard<'static, Option<Cache>>>,
);

pub(crate) fn lock_cache() -> CacheLock {
    CacheLock(lock_with_retries(&CACHE))
}

/// The key with these parameters: from the cache, or checked and prepared for verification now.
pub(super) fn get(params: KeyParams, options: KeyOptions) -> Result<Arc<CachedKey>, KeyDefect> {
    if !options.has_tables() {
        return CachedKey::new(params, options);
    }
    // If another thread has the lock, the cache is not used: waiting would cost as much.
    if let Some(key) = CACHE.try_lock().ok().and_then(|mut cache| cache.as_mut()?.get(&params)) {
        return Ok(key);
    }
    let key = CachedKey::new(params, options)?;
    if let Ok(mut cache) = CACHE.try_lock() {
        cache.get_or_insert_default().insert(&key);
    }
    Ok(key)
}

impl CachedKey {
    fn new(params: KeyParams, options: KeyOptions) -> Result<Arc<Self>, KeyDefect> {
        let verifier = Verifier::new(&params, options)?;
        Ok(Arc::new(Self { params, verifier, thumbprint: OnceBox::new() }))
    }

    /// The RFC 7638 thumbprint.
    pub(super) fn thumbprint(&self) -> &str {
        self.thumbprint.get_or_init(|| Box::new(self.params.thumbprint()))
    }
}

impl Cache {
    fn get(&mut self, params: &KeyParams) -> Option<Arc<CachedKey>> {
        if let Some(ByParams(key)) = self.recent.get(params) {
            return Some(Arc::clone(key));
        }
        let ByParams(key) = self.earlier.take(params)?;
        self.insert(&key);
        Some(key)
    }

    fn insert(&mut self, key: &Arc<CachedKey>) {
        let bytes = OVERHEAD + 3 * key.params.bits() / 8;
        if self.recent_bytes + bytes > MAX_BYTES {
            self.earlier = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        if self.recent.insert(ByParams(Arc::clone(key))) {
            self.recent_bytes += bytes;
        }
    }
}

/// A key, identified by its parameters.
struct ByParams(Arc<CachedKey>);

impl Borrow<KeyParams> for ByParams {
    fn borrow(&self) -> &KeyParams {
        &self.0.params
    }
}

impl Hash for ByParams {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.params.hash(state);
    }
}

impl PartialEq for ByParams {
    fn eq(&self, other: &Self) -> bool {
        self.0.params == other.0.params
    }
}

impl Eq for ByParams {}
