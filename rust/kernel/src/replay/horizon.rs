//! How far back a memory reaches: what expired before its horizon may have been forgotten.

use std::sync::atomic::{AtomicU64, Ordering};

/// The latest moment that any caller gave, less the time by which ids are kept beyond their own end. It never goes back.
pub(super) struct Horizon {
    /// The horizon, in the order of [`ordered`].
    moment: AtomicU64,
    /// The shortest and the longest lifetime that were announced, in the order of [`ordered`].
    shortest: AtomicU64,
    longest: AtomicU64,
}

impl Default for Horizon {
    /// Nothing was ever forgotten, and no lifetime was announced.
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

    /// The horizon when it is `now`: later than it was, or as it was.
    pub(super) fn advance(&self, now: f64) -> f64 {
        let moment = ordered(now - self.extension());
        unordered(self.moment.fetch_max(moment, Ordering::SeqCst).max(moment))
    }

    /// Whether an id that expires then may have been used and forgotten, even if whoever took it let it expire earlier.
    pub(super) fn is_past(&self, expires_at: f64, horizon: f64) -> bool {
        expires_at - self.extension() < horizon
    }

    /// By how many seconds the longest lifetime exceeds the shortest: ids are kept so much longer than they ask for, since
    /// whoever uses one may take it for the shortest time, and somebody else for the longest.
    fn extension(&self) -> f64 {
        let shortest = unordered(self.shortest.load(Ordering::SeqCst));
        let longest = unordered(self.longest.load(Ordering::SeqCst));
        // Less than nothing if none was announced.
        (longest - shortest).max(0.0)
    }
}

const SIGN: u64 = 1 << 63;

/// A number that is in the order of the moments: an atomic one can be compared, and a float cannot.
fn ordered(moment: f64) -> u64 {
    let bits = moment.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn unordered(number: u64) -> f64 {
    f64::from_bits(if number & SIGN == 0 { !number } else { number & !SIGN })
}
