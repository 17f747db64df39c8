//! The scopes of a token, compiled on first use, and kept with it if there is room.
//!
//! A token that was verified without a cache belongs to its caller, with all that it takes. A token in a cache is shared,
//! and scopes that are compiled later must fit into the memory that the cache reserves for them; if they do not, they are
//! compiled for each caller that needs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use once_cell::race::OnceBox;

use crate::heap::allocated;
use crate::scope::{Grammar, PlainScopes, ResourceScopes, Scopes, SlotScopes};

/// The compiled scopes that are kept with a token.
#[derive(Default)]
pub(super) struct CompiledScopes {
    resource: Cell<ResourceScopes>,
    slot: Cell<SlotScopes>,
    plain: Cell<PlainScopes>,
    /// What they are counted against; `None` if the token is not in a cache.
    quota: Option<Arc<Quota>>,
}

type Cell<S> = OnceBox<Kept<S>>;

struct Kept<S> {
    scopes: Arc<S>,
    #[expect(dead_code, reason = "returns its bytes when it is dropped")]
    lease: Option<Lease>,
}

/// A limited number of bytes, and how many of them are in use.
pub(super) struct Quota {
    used: AtomicUsize,
    limit: usize,
}

/// Bytes of a quota that are in use until this is dropped.
struct Lease {
    quota: Arc<Quota>,
    bytes: usize,
}

impl CompiledScopes {
    /// None yet; those that are kept from now on are counted.
    pub(super) fn within(quota: &Arc<Quota>) -> Self {
        Self { quota: Some(Arc::clone(quota)), ..Self::default() }
    }

    pub(super) fn resource<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<ResourceScopes> {
        self.get_or_compile(&self.resource, scopes)
    }

    pub(super) fn slot<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<SlotScopes> {
        self.get_or_compile(&self.slot, scopes)
    }

    pub(super) fn plain<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<PlainScopes> {
        self.get_or_compile(&self.plain, scopes)
    }

    fn get_or_compile<'s, G: Grammar>(
        &self,
        cell: &Cell<Scopes<G>>,
        scopes: impl Iterator<Item = &'s str>,
    ) -> Arc<Scopes<G>> {
        if let Some(kept) = cell.get() {
            return Arc::clone(&kept.scopes);
        }
        let scopes = Arc::new(Scopes::from_claim(scopes));
        let lease = match &self.quota {
            None => None,
            Some(quota) => {
                let bytes = allocated(size_of::<Kept<Scopes<G>>>())
                    .saturating_add(allocated(2 * size_of::<usize>() + size_of::<Scopes<G>>()))
                    .saturating_add(scopes.heap());
                let Some(lease) = Quota::lease(quota, bytes) else { return scopes };
                Some(lease)
            }
        };
        // If another thread was faster, its scopes are the same.
        let _ = cell.set(Box::new(Kept { scopes: Arc::clone(&scopes), lease }));
        scopes
    }
}

impl Clone for CompiledScopes {
    /// A copy is not in the cache.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Quota {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }

    /// The bytes in use.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes of the quota, if it has as many left.
    fn lease(this: &Arc<Self>, bytes: usize) -> Option<Lease> {
        let add = |used: usize| used.checked_add(bytes).filter(|used| *used <= this.limit);
        this.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(Lease { quota: Arc::clone(this), bytes })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
