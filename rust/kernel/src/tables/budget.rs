//! The memory budget of all tables, and which of them are evicted when it is full.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use watchword_arithmetic::Width;

use super::builder;
use crate::fork_safety::lock_with_retries;

/// What tables may cost in the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The bytes that all tables may take together, not counting those of the curves' own base points. With 0 there are
    /// no tables.
    pub max_bytes: usize,
    /// The largest width of a digit, in bits. Each bit more nearly doubles the size of a table and speeds up
    /// verification by less and less; as the budget fills up, new tables are narrower.
    pub width: Width,
    /// After how many uses a key gets a table.
    pub after_uses: u32,
}

/// Why settings are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsError(&'static str);

/// Figures about the tables of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// The bytes that all tables take.
    pub bytes: usize,
    /// How many keys have a table.
    pub tables: usize,
    /// How many tables were built since the process started.
    pub built: u64,
    /// How many tables were evicted in favour of others.
    pub evicted: u64,
    /// How often a key was refused a table because the keys that have one are used more.
    pub refused: u64,
    /// How many keys wait for a table, with the one whose table is being built.
    pub queued: usize,
}

/// A key that may have a table.
pub(super) trait TableOwner: Send + Sync {
    fn uses(&self) -> u32;

    /// Halves the count of uses, so that old uses count for less.
    fn halve_uses(&self);

    fn is_pinned(&self) -> bool;

    /// Builds the table if there is none and the budget has room for it.
    fn build(self: Arc<Self>);

    fn drop_table(&self);
}

/// The share of one table in the budget, until it is released.
pub(super) struct Reservation {
    bytes: usize,
    is_active: AtomicBool,
}

/// The settings in separate atomics, so that reading them takes no lock.
static MAX_BYTES: AtomicUsize = AtomicUsize::new(Settings::DEFAULT.max_bytes);
static WIDTH: AtomicU8 = AtomicU8::new(Settings::DEFAULT.width.bits());
static AFTER_USES: AtomicU32 = AtomicU32::new(Settings::DEFAULT.after_uses);

/// What is reserved. Reservations end in any thread that drops a key.
static BYTES: AtomicUsize = AtomicUsize::new(0);
static TABLES: AtomicUsize = AtomicUsize::new(0);

static BUILT: AtomicU64 = AtomicU64::new(0);
static EVICTED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// The keys that have tables. The lock is held for microseconds, while a share of the budget is reserved. If it cannot
/// be acquired, no new table is built.
pub(crate) struct Owners(Vec<Weak<dyn TableOwner>>);

static OWNERS: Mutex<Owners> = Mutex::new(Owners(Vec::new()));

impl Settings {
    /// 64 MiB, the widest digits, and a table after 32 uses, which cost about as much as building it.
    pub const DEFAULT: Self = Self { max_bytes: 64 * 1024 * 1024, width: Width::WIDEST, after_uses: 32 };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Returns the settings in force.
pub fn settings() -> Settings {
    Settings {
        max_bytes: MAX_BYTES.load(Ordering::Relaxed),
        width: Width::new(WIDTH.load(Ordering::Relaxed)).unwrap_or(Settings::DEFAULT.width),
        after_uses: AFTER_USES.load(Ordering::Relaxed),
    }
}

/// Changes the settings. Tables that no longer fit are dropped; the others keep the width that they were built with.
///
/// # Errors
/// [`SettingsError`] if `after_uses` is 0.
pub fn configure(settings: Settings) -> Result<(), SettingsError> {
    if settings.after_uses == 0 {
        return Err(SettingsError("after_uses must be 1 or more"));
    }
    MAX_BYTES.store(settings.max_bytes, Ordering::Relaxed);
    WIDTH.store(settings.width.bits(), Ordering::Relaxed);
    AFTER_USES.store(settings.after_uses, Ordering::Relaxed);
    if let Some(mut owners) = lock_owners() {
        owners.shrink();
    }
    Ok(())
}

/// Returns the current figures.
pub fn stats() -> Stats {
    Stats {
        bytes: BYTES.load(Ordering::Relaxed),
        tables: TABLES.load(Ordering::Relaxed),
        built: BUILT.load(Ordering::Relaxed),
        evicted: EVICTED.load(Ordering::Relaxed),
        refused: REFUSED.load(Ordering::Relaxed),
        queued: builder::queued(),
    }
}

/// Whether a key without a table is queued for one at this use: at every multiple of `after_uses`.
pub(super) fn is_due(uses: u32) -> bool {
    let after = AFTER_USES.load(Ordering::Relaxed);
    uses >= after && uses.is_multiple_of(after)
}

/// Reserves room for a table of this key, and chooses its width. Tables of less used keys are evicted if necessary;
/// `None` if there is no room even so.
pub(super) fn reserve(owner: &Arc<dyn TableOwner>, size: impl Fn(Width) -> usize) -> Option<(Reservation, Width)> {
    let mut owners = lock_owners()?;
    let settings = settings();
    let width = choose_width(&settings, &size);
    let bytes = size(width);
    owners.0.retain(|other| other.strong_count() > 0);
    while BYTES.load(Ordering::Relaxed).saturating_add(bytes) > settings.max_bytes {
        let weakest = owners.least_used(|other| !other.is_pinned());
        match weakest.filter(|weakest| owner.is_pinned() || weakest.uses() < owner.uses()) {
            Some(weakest) if bytes <= settings.max_bytes => owners.evict(&weakest),
            _ => {
                owners.halve_uses();
                REFUSED.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        }
    }
    Some((Reservation::new(bytes), width))
}

/// The widest digits with which the table takes at most a sixteenth of the free budget, so that other keys find room
/// too.
fn choose_width(settings: &Settings, size: impl Fn(Width) -> usize) -> Width {
    let free = settings.max_bytes.saturating_sub(BYTES.load(Ordering::Relaxed));
    let mut widths = (Width::NARROWEST.bits()..=settings.width.bits()).rev().filter_map(Width::new);
    widths.find(|width| size(*width) <= free / 16).unwrap_or(Width::NARROWEST)
}

/// Lists a key whose table was built, so that it can be evicted: at once, if the budget was reduced meanwhile.
pub(super) fn register(owner: &Arc<dyn TableOwner>) {
    BUILT.fetch_add(1, Ordering::Relaxed);
    if let Some(mut owners) = lock_owners() {
        owners.0.push(Arc::downgrade(owner));
        owners.shrink();
    }
}

pub(crate) fn lock_owners() -> Option<MutexGuard<'static, Owners>> {
    lock_with_retries(&OWNERS)
}

impl Owners {
    fn least_used(&self, may_be_evicted: impl Fn(&dyn TableOwner) -> bool) -> Option<Arc<dyn TableOwner>> {
        let owners = self.0.iter().filter_map(Weak::upgrade);
        owners.filter(|owner| may_be_evicted(&**owner)).min_by_key(|owner| owner.uses())
    }

    fn shrink(&mut self) {
        while BYTES.load(Ordering::Relaxed) > MAX_BYTES.load(Ordering::Relaxed) {
            let Some(least) = self.least_used(|_| true) else { break };
            self.evict(&least);
        }
    }

    fn evict(&mut self, owner: &Arc<dyn TableOwner>) {
        owner.drop_table();
        self.0.retain(|other| !std::ptr::addr_eq(other.as_ptr(), Arc::as_ptr(owner)));
        EVICTED.fetch_add(1, Ordering::Relaxed);
    }

    fn halve_uses(&self) {
        self.0.iter().filter_map(Weak::upgrade).for_each(|owner| owner.halve_uses());
    }
}

impl Reservation {
    fn new(bytes: usize) -> Self {
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        TABLES.fetch_add(1, Ordering::Relaxed);
        Self { bytes, is_active: AtomicBool::new(true) }
    }

    /// Ends the reservation. A second call has no effect.
    pub(super) fn release(&self) {
        if self.is_active.swap(false, Ordering::Relaxed) {
            BYTES.fetch_sub(self.bytes, Ordering::Relaxed);
            TABLES.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SettingsError {}
