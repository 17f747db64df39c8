//! The numbers of keys that were judged, remembered for a while.
//!
//! A key is met again: a set is fetched anew and holds the same keys, a client signs each of its proofs by the same key.
//! What is known of it then, its decoded point and its table, need not be found out again. The memory is bounded, shared
//! by the whole process, and changes no verdict: what is remembered of a key follows from its numbers alone.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use once_cell::race::OnceBox;

use crate::forks::lock_within_patience;

use crate::key_params::{KeyDefect, KeyParams};
use crate::signature::{KeyOptions, Verifier};

/// A key's numbers, judged, and what follows from them.
pub(super) struct CachedKey {
    pub(super) params: KeyParams,
    pub(super) verifier: Verifier,
    thumbprint: OnceBox<String>,
}

/// How many bytes may be remembered; as many again until they are forgotten.
const MAX_BYTES: usize = 1024 * 1024;

/// What one key takes beside its own numbers, about.
const OVERHEAD: usize = 512;

/// Two generations of keys: those that were met lately, and those of before. When there are too many of the first, they
/// become the second, and who is not met again is forgotten.
#[derive(Default)]
struct Memory {
    recent: HashSet<ByParams>,
    recent_bytes: usize,
    earlier: HashSet<ByParams>,
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

/// The memory, as long as a fork is under way: see [`forks`](crate::forks).
pub(crate) struct Held(#[expect(dead_code, reason = "is held")] Option<MutexGuard<'static, Option<Memory>>>);

pub(crate) fn hold() -> Held {
    Held(lock_within_patience(&MEMORY))
}

/// What is known of a key with these numbers, which are judged where they are met for the first time.
pub(super) fn get(params: KeyParams, options: KeyOptions) -> Result<Arc<CachedKey>, KeyDefect> {
    if !options.has_tables() {
        return CachedKey::new(params, options);
    }
    // Where another thread is at it, the memory is gone without: waiting would cost as much.
    if let Some(key) = MEMORY.try_lock().ok().and_then(|mut memory| memory.as_mut()?.recall(&params)) {
        return Ok(key);
    }
    let key = CachedKey::new(params, options)?;
    if let Ok(mut memory) = MEMORY.try_lock() {
        memory.get_or_insert_default().remember(&key);
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

impl Memory {
    fn recall(&mut self, params: &KeyParams) -> Option<Arc<CachedKey>> {
        if let Some(ByParams(key)) = self.recent.get(params) {
            return Some(Arc::clone(key));
        }
        let ByParams(key) = self.earlier.take(params)?;
        self.remember(&key);
        Some(key)
    }

    fn remember(&mut self, key: &Arc<CachedKey>) {
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

/// A key, looked up by its numbers.
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
