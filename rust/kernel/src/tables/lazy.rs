//! A key whose table is precomputed lazily, once the key has been used a number of times.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use watchword_arithmetic::Width;

use super::budget::{self, Reservation, TableOwner};
use super::builder;

/// A key for which a table can be computed.
pub(crate) trait Precompute: Send + Sync + 'static {
    /// Multiples of the key.
    type Table: Send + Sync + 'static;

    /// Computes the table, which takes up to a few milliseconds.
    fn table(&self, width: Width) -> Self::Table;

    /// The size of the table, in bytes.
    fn table_size(width: Width) -> usize;
}

/// A key that counts its uses, and its table if there is one.
pub(crate) struct Precomputed<K: Precompute> {
    key: K,
    /// Whether the key may have a table at all.
    is_enabled: bool,
    /// Up to [`MAX_USES`], so that a key in steady use is only read, and threads do not compete for its cache line.
    /// Some uses are lost when threads count at the same time.
    uses: AtomicU32,
    /// How many key sets require that the table stays.
    pins: AtomicU32,
    table: ArcSwapOption<ReservedTable<K::Table>>,
}

/// A table, and its share of the budget.
pub(crate) struct ReservedTable<T> {
    pub(crate) table: T,
    reservation: Reservation,
}

/// Uses are not counted beyond this number.
const MAX_USES: u32 = 1 << 16;

impl<K: Precompute> Precomputed<K> {
    /// A key without a table; it gets one later if `is_enabled`.
    pub(crate) fn new(key: K, is_enabled: bool) -> Arc<Self> {
        Arc::new(Self {
            key,
            is_enabled,
            uses: AtomicU32::new(0),
            pins: AtomicU32::new(0),
            table: ArcSwapOption::const_empty(),
        })
    }

    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    /// Counts a use and calls one of the functions, depending on whether there is a table.
    pub(crate) fn with<T>(
        self: &Arc<Self>,
        with_table: impl FnOnce(&K::Table) -> T,
        without_table: impl FnOnce(&K) -> T,
    ) -> T {
        self.count();
        match &*self.table.load() {
            Some(reserved) => with_table(&reserved.table),
            None => without_table(&self.key),
        }
    }

    /// Counts a use and returns the table, if there is one.
    pub(crate) fn table(self: &Arc<Self>) -> Option<Arc<ReservedTable<K::Table>>> {
        self.count();
        self.table.load_full()
    }

    /// Builds the table now, and keeps it until [`unpin`](Self::unpin). Returns `false` if the budget has no room for
    /// it.
    pub(crate) fn pin(self: &Arc<Self>) -> bool {
        if !self.is_enabled {
            return true;
        }
        self.pins.fetch_add(1, Ordering::Relaxed);
        TableOwner::build(Arc::clone(self));
        let has_table = self.table.load().is_some();
        if !has_table {
            self.unpin();
        }
        has_table
    }

    pub(crate) fn unpin(&self) {
        if self.is_enabled {
            self.pins.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Counts a use. Every so many uses, a key without a table is queued for one.
    fn count(self: &Arc<Self>) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < MAX_USES {
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
        if self.is_enabled && budget::is_due(uses) && self.table.load().is_none() {
            let owner: Weak<Self> = Arc::downgrade(self);
            builder::enqueue(owner);
        }
    }
}

impl<K: Precompute> TableOwner for Precomputed<K> {
    fn uses(&self) -> u32 {
        self.uses.load(Ordering::Relaxed)
    }

    fn halve_uses(&self) {
        self.uses.store(self.uses() / 2, Ordering::Relaxed);
    }

    fn is_pinned(&self) -> bool {
        self.pins.load(Ordering::Relaxed) > 0
    }

    fn build(self: Arc<Self>) {
        if self.table.load().is_some() {
            return;
        }
        let owner: Arc<dyn TableOwner> = self.clone();
        let Some((reservation, width)) = budget::reserve(&owner, K::table_size) else { return };
        let table = self.key.table(width);
        // Another thread may have stored a table meanwhile: it is replaced, and its reservation ends when it is
        // dropped.
        self.table.store(Some(Arc::new(ReservedTable { table, reservation })));
        budget::register(&owner);
    }

    fn drop_table(&self) {
        if let Some(reserved) = self.table.swap(None) {
            // A thread that is verifying with this table keeps it alive for a few microseconds more.
            reserved.reservation.release();
        }
    }
}
