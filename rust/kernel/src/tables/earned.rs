//! A key, and its table once it has earned one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use watchword_arithmetic::Width;

use super::budget::{self, Holder, Lease};
use super::builder;

/// A key of which there can be a table.
pub(crate) trait Tabled: Send + Sync + 'static {
    /// Its multiples.
    type Table: Send + Sync + 'static;

    /// Computes them: up to a few milliseconds.
    fn table(&self, width: Width) -> Self::Table;

    /// How many bytes they take.
    fn table_size(width: Width) -> usize;
}

/// A key that counts its uses, and has a table or not.
pub(crate) struct Earned<K: Tabled> {
    key: K,
    /// Whether it may have a table at all.
    earns: bool,
    /// Up to [`MANY`], so that a key in steady use is only read, and threads do not fight for its cache line. Some uses
    /// are lost where threads count at once.
    uses: AtomicU32,
    /// How many key sets demand that the table stays.
    pins: AtomicU32,
    table: ArcSwapOption<Leased<K::Table>>,
}

/// A table, and the room that it takes.
pub(crate) struct Leased<T> {
    pub(crate) table: T,
    lease: Lease,
}

/// Where counting ends.
const MANY: u32 = 1 << 16;

impl<K: Tabled> Earned<K> {
    /// A key that earns a table, or never has one.
    pub(crate) fn new(key: K, earns: bool) -> Arc<Self> {
        Arc::new(Self {
            key,
            earns,
            uses: AtomicU32::new(0),
            pins: AtomicU32::new(0),
            table: ArcSwapOption::const_empty(),
        })
    }

    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    /// Uses the key: by its table where it has one.
    pub(crate) fn with<T>(
        self: &Arc<Self>,
        prepared: impl FnOnce(&K::Table) -> T,
        unprepared: impl FnOnce(&K) -> T,
    ) -> T {
        self.count();
        match &*self.table.load() {
            Some(leased) => prepared(&leased.table),
            None => unprepared(&self.key),
        }
    }

    /// The table, to be used together with those of other keys; `None` where the key has none.
    pub(crate) fn table(self: &Arc<Self>) -> Option<Arc<Leased<K::Table>>> {
        self.count();
        self.table.load_full()
    }

    /// Builds the table now, and keeps it until [`unpin`](Self::unpin); `false` where there was no room for it.
    pub(crate) fn pin(self: &Arc<Self>) -> bool {
        if !self.earns {
            return true;
        }
        self.pins.fetch_add(1, Ordering::Relaxed);
        Holder::build(Arc::clone(self));
        let has_table = self.table.load().is_some();
        if !has_table {
            self.unpin();
        }
        has_table
    }

    pub(crate) fn unpin(&self) {
        if self.earns {
            self.pins.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Counts a use. A key without a table asks for one now and then.
    fn count(self: &Arc<Self>) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < MANY {
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
        if self.earns && budget::is_due(uses) && self.table.load().is_none() {
            let holder: Weak<Self> = Arc::downgrade(self);
            builder::ask(holder);
        }
    }
}

impl<K: Tabled> Holder for Earned<K> {
    fn uses(&self) -> u32 {
        self.uses.load(Ordering::Relaxed)
    }

    fn age(&self) {
        self.uses.store(self.uses() / 2, Ordering::Relaxed);
    }

    fn is_pinned(&self) -> bool {
        self.pins.load(Ordering::Relaxed) > 0
    }

    fn build(self: Arc<Self>) {
        if self.table.load().is_some() {
            return;
        }
        let holder: Arc<dyn Holder> = self.clone();
        let Some((lease, width)) = budget::admit(&holder, K::table_size) else { return };
        let table = self.key.table(width);
        // Another thread may have been quicker; its table is as good, and the lease of the one that is dropped ends.
        self.table.store(Some(Arc::new(Leased { table, lease })));
        budget::enter(&holder);
    }

    fn drop_table(&self) {
        if let Some(leased) = self.table.swap(None) {
            // Whoever is verifying by it has it for a few microseconds more.
            leased.lease.give_back();
        }
    }
}
