//! The replay cache, which several gates of one process may have in common.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use watchword_kernel::ReplayCache;

/// The caches of groups, by their names, as long as a gate has them.
static SHARED: Mutex<BTreeMap<String, Weak<ReplayCache>>> = Mutex::new(BTreeMap::new());

/// The replay cache of the gates of this group, which the first of them makes with this capacity; without a group, a new one.
#[allow(clippy::disallowed_methods, reason = "only opening a gate of a group waits for it, never a verdict")]
pub(crate) fn replay_cache(group: Option<&str>, capacity: NonZeroUsize) -> Arc<ReplayCache> {
    let new = || Arc::new(ReplayCache::with_capacity(capacity));
    let Some(group) = group else { return new() };
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cache) = shared.get(group).and_then(Weak::upgrade) {
        return cache;
    }
    shared.retain(|_, cache| cache.strong_count() > 0);
    let cache = new();
    shared.insert(group.to_owned(), Arc::downgrade(&cache));
    cache
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_one_cache_as_long_as_a_gate_has_it() {
        let (small, large) = (NonZeroUsize::new(8).unwrap(), NonZeroUsize::new(16).unwrap());
        let first = replay_cache(Some("listener"), small);
        assert!(Arc::ptr_eq(&first, &replay_cache(Some("listener"), large)));
        assert!(!Arc::ptr_eq(&first, &replay_cache(Some("other"), small)));
        assert!(!Arc::ptr_eq(&first, &replay_cache(None, small)));
        drop(first);
        assert_eq!(replay_cache(Some("listener"), large).capacity(), 16);
    }
}
