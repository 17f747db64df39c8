//! The scopes of a token, compiled when they are first asked for, and kept with it if there is room.
//!
//! Whoever verifies a token once owns it with all that it takes. A token in a cache is shared, and what is compiled after
//! it was put there must fit into the memory that the cache has set aside for that; if it does not, it is compiled for each
//! caller who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use once_cell::race::OnceBox;

use crate::heap::allocated;
use crate::scope::{Grammar, PlainScopes, ResourceScopes, Scopes, SlotScopes};

/// The matchers that are kept with a token.
#[derive(Default)]
pub(crate) struct Matchers {
    resource: Cell<ResourceScopes>,
    slot: Cell<SlotScopes>,
    plain: Cell<PlainScopes>,
    /// What they are counted against; nothing if the token is its caller's.
    quota: Option<Arc<Quota>>,
}

type Cell<S> = OnceBox<Kept<S>>;

struct Kept<S> {
    scopes: Arc<S>,
    #[expect(dead_code, reason = "ends when it is dropped")]
    lease: Option<Lease>,
}

/// Bytes of which so many may be taken.
pub(crate) struct Quota {
    taken: AtomicUsize,
    most: usize,
}

/// Bytes that are taken until this is dropped.
struct Lease {
    quota: Arc<Quota>,
    bytes: usize,
}

impl Matchers {
    /// None yet; what is kept from now on is counted.
    pub(crate) fn within(quota: &Arc<Quota>) -> Self {
        Self { quota: Some(Arc::clone(quota)), ..Self::default() }
    }

    pub(crate) fn resource<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<ResourceScopes> {
        self.kept(&self.resource, scopes)
    }

    pub(crate) fn slot<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<SlotScopes> {
        self.kept(&self.slot, scopes)
    }

    pub(crate) fn plain<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> Arc<PlainScopes> {
        self.kept(&self.plain, scopes)
    }

    fn kept<'s, G: Grammar>(&self, cell: &Cell<Scopes<G>>, scopes: impl Iterator<Item = &'s str>) -> Arc<Scopes<G>> {
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
                let Some(lease) = Quota::take(quota, bytes) else { return scopes };
                Some(lease)
            }
        };
        // If another thread was quicker, its matcher is as good.
        let _ = cell.set(Box::new(Kept { scopes: Arc::clone(&scopes), lease }));
        scopes
    }
}

impl Clone for Matchers {
    /// A copy is its caller's.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Quota {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), most })
    }

    /// The bytes that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn take(this: &Arc<Self>, bytes: usize) -> Option<Lease> {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= this.most);
        this.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Lease { quota: Arc::clone(this), bytes })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.quota.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
