//! How much memory tables may take, and who gives way when it is full.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use watchword_arithmetic::Width;

use crate::forks::lock_within_patience;

/// What tables may cost, for the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The bytes that all tables may take together, beside the tables of the curves' own base points. With 0 there are
    /// none.
    pub max_bytes: usize,
    /// The width of a digit, in bits: of as many as there is ample room for. Each bit more makes tables nearly twice as
    /// large, and verification faster by less and less; as the budget fills, new tables are narrower.
    pub width: Width,
    /// After how many uses a key asks for a table.
    pub after_uses: u32,
}

/// Settings that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsError(&'static str);

/// How tables stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// The bytes that tables take.
    pub bytes: usize,
    /// How many keys have a table.
    pub tables: usize,
    /// How many tables were built since the process started.
    pub built: u64,
    /// How many of them gave way to others.
    pub evicted: u64,
    /// How often a key asked for a table and was refused: those that have one are used more.
    pub refused: u64,
}

/// A key that may have a table.
pub(super) trait Holder: Send + Sync {
    fn uses(&self) -> u32;

    /// Forgets half of the uses, so that what was used long ago counts for less.
    fn age(&self);

    fn is_pinned(&self) -> bool;

    /// Builds the table, where there is none and the budget has room for it.
    fn build(self: Arc<Self>);

    fn drop_table(&self);
}

/// The bytes of one table, taken from the budget until they are given back.
pub(super) struct Lease {
    bytes: usize,
    is_out: AtomicBool,
}

/// The settings, each by itself, so that reading them takes no lock.
static MAX_BYTES: AtomicUsize = AtomicUsize::new(Settings::DEFAULT.max_bytes);
static WIDTH: AtomicU8 = AtomicU8::new(Settings::DEFAULT.width.bits());
static AFTER_USES: AtomicU32 = AtomicU32::new(Settings::DEFAULT.after_uses);

/// What is out on lease: leases end wherever a key is dropped.
static BYTES: AtomicUsize = AtomicUsize::new(0);
static TABLES: AtomicUsize = AtomicUsize::new(0);

static BUILT: AtomicU64 = AtomicU64::new(0);
static EVICTED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// The keys that have tables. Whoever holds the lock, for microseconds, may give out leases. If it cannot be had, keys do
/// without new tables.
pub(crate) struct Holders(Vec<Weak<dyn Holder>>);

static HOLDERS: Mutex<Holders> = Mutex::new(Holders(Vec::new()));

impl Settings {
    /// 64 MiB, the widest digits, and a table after 32 uses: about what building it costs.
    pub const DEFAULT: Self = Self { max_bytes: 64 * 1024 * 1024, width: Width::WIDEST, after_uses: 32 };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The settings in force.
pub fn settings() -> Settings {
    Settings {
        max_bytes: MAX_BYTES.load(Ordering::Relaxed),
        width: Width::new(WIDTH.load(Ordering::Relaxed)).unwrap_or(Settings::DEFAULT.width),
        after_uses: AFTER_USES.load(Ordering::Relaxed),
    }
}

/// Changes the settings. Tables that no longer fit are dropped; those that do keep the width that they were built with.
///
/// # Errors
/// [`SettingsError`] where `after_uses` is 0.
pub fn configure(settings: Settings) -> Result<(), SettingsError> {
    if settings.after_uses == 0 {
        return Err(SettingsError("after_uses must be 1 or more"));
    }
    MAX_BYTES.store(settings.max_bytes, Ordering::Relaxed);
    WIDTH.store(settings.width.bits(), Ordering::Relaxed);
    AFTER_USES.store(settings.after_uses, Ordering::Relaxed);
    if let Some(mut holders) = holders() {
        holders.shrink();
    }
    Ok(())
}

/// How tables stand now.
pub fn stats() -> Stats {
    Stats {
        bytes: BYTES.load(Ordering::Relaxed),
        tables: TABLES.load(Ordering::Relaxed),
        built: BUILT.load(Ordering::Relaxed),
        evicted: EVICTED.load(Ordering::Relaxed),
        refused: REFUSED.load(Ordering::Relaxed),
    }
}

/// Whether a key with so many uses asks for a table: every so often, as long as it has none.
pub(super) fn is_due(uses: u32) -> bool {
    let after = AFTER_USES.load(Ordering::Relaxed);
    uses >= after && uses.is_multiple_of(after)
}

/// Room for a table of this key, made where need be; `None` where those that have one are used more.
pub(super) fn admit(holder: &Arc<dyn Holder>, size: impl Fn(Width) -> usize) -> Option<(Lease, Width)> {
    let mut holders = holders()?;
    let settings = settings();
    let width = affordable(&settings, &size);
    let bytes = size(width);
    holders.0.retain(|other| other.strong_count() > 0);
    while BYTES.load(Ordering::Relaxed).saturating_add(bytes) > settings.max_bytes {
        let weakest = holders.least_used(|other| !other.is_pinned());
        match weakest.filter(|weakest| holder.is_pinned() || weakest.uses() < holder.uses()) {
            Some(weakest) if bytes <= settings.max_bytes => holders.evict(&weakest),
            _ => {
                holders.age();
                REFUSED.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        }
    }
    Some((Lease::take(bytes), width))
}

/// The widest digits whose table takes no more than a sixteenth of what is free, so that others find room as well.
fn affordable(settings: &Settings, size: impl Fn(Width) -> usize) -> Width {
    let free = settings.max_bytes.saturating_sub(BYTES.load(Ordering::Relaxed));
    let mut widths = (Width::NARROWEST.bits()..=settings.width.bits()).rev().filter_map(Width::new);
    widths.find(|width| size(*width) <= free / 16).unwrap_or(Width::NARROWEST)
}

/// From now on this key's table may be asked to give way: at once, where the settings changed while it was built.
pub(super) fn enter(holder: &Arc<dyn Holder>) {
    BUILT.fetch_add(1, Ordering::Relaxed);
    if let Some(mut holders) = holders() {
        holders.0.push(Arc::downgrade(holder));
        holders.shrink();
    }
}

pub(crate) fn holders() -> Option<MutexGuard<'static, Holders>> {
    lock_within_patience(&HOLDERS)
}

impl Holders {
    fn least_used(&self, may_go: impl Fn(&dyn Holder) -> bool) -> Option<Arc<dyn Holder>> {
        let holders = self.0.iter().filter_map(Weak::upgrade);
        holders.filter(|holder| may_go(&**holder)).min_by_key(|holder| holder.uses())
    }

    fn shrink(&mut self) {
        while BYTES.load(Ordering::Relaxed) > MAX_BYTES.load(Ordering::Relaxed) {
            let Some(least) = self.least_used(|_| true) else { break };
            self.evict(&least);
        }
    }

    fn evict(&mut self, holder: &Arc<dyn Holder>) {
        holder.drop_table();
        self.0.retain(|other| !std::ptr::addr_eq(other.as_ptr(), Arc::as_ptr(holder)));
        EVICTED.fetch_add(1, Ordering::Relaxed);
    }

    fn age(&self) {
        self.0.iter().filter_map(Weak::upgrade).for_each(|holder| holder.age());
    }
}

impl Lease {
    fn take(bytes: usize) -> Self {
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        TABLES.fetch_add(1, Ordering::Relaxed);
        Self { bytes, is_out: AtomicBool::new(true) }
    }

    /// A second time does nothing.
    pub(super) fn give_back(&self) {
        if self.is_out.swap(false, Ordering::Relaxed) {
            BYTES.fetch_sub(self.bytes, Ordering::Relaxed);
            TABLES.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SettingsError {}
