//! The horizon of a replay cache: ids that expired before it may have been removed.

use std::sync::atomic::{AtomicU64, Ordering};

/// The latest moment that any caller gave, less the time for which ids are kept after they expire. It never goes back.
pub(super) struct Horizon {
    /// The horizon, in the order of [`ordered`].
    moment: AtomicU64,
    /// The shortest and the longest announced lifetime, in the order of [`ordered`].
    shortest: AtomicU64,
    longest: AtomicU64,
}

impl Default for Horizon {
    /// No id was removed, and no lifetime was announced.
    fn default() -> Self {
        Self {
            moment: AtomicU64::new(ordered(f64::NEG_INFINITY)),
            shortest: AtomicU64::new(ordered(f64::INFINITY)),
            longest: AtomicU64::new(ordered(f64::NEG_INFINITY)),
        }
    }
}

impl Horizon {
    pub(super) fn retain_for(&self, lifetime: f64) {
        if lifetime.is_finite() {
            self.shortest.fetch_min(ordered(lifetime), Ordering::SeqCst);
            self.longest.fetch_max(ordered(lifetime), Ordering::SeqCst);
        }
    }

    /// Advances the horizon to that of `now`, unless it is later already, and returns it.
    pub(super) fn advance(&self, now: f64) -> f64 {
        let moment = ordered(now - self.extension());
        unordered(self.moment.fetch_max(moment, Ordering::SeqCst).max(moment))
    }

    /// Whether an id that expires then may have been used and removed, even by a caller for which it expired earlier.
    pub(super) fn is_past(&self, expires_at: f64, horizon: f64) -> bool {
        expires_at - self.extension() < horizon
    }

    /// The difference of the longest and the shortest lifetime, in seconds. Ids are kept that much longer than requested,
    /// since one caller may accept an id for the shortest lifetime, and another for the longest.
    fn extension(&self) -> f64 {
        let shortest = unordered(self.shortest.load(Ordering::SeqCst));
        let longest = unordered(self.longest.load(Ordering::SeqCst));
        // Negative infinity if none was announced.
        (longest - shortest).max(0.0)
    }
}

const SIGN: u64 = 1 << 63;

/// An integer in the order of the moments, because there are no atomic floats.
fn ordered(moment: f64) -> u64 {
    let bits = moment.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn unordered(number: u64) -> f64 {
    f64::from_bits(if number & SIGN == 0 { !number } else { number & !SIGN })
}
