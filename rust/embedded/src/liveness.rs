//! Whether the thread that reads the files still does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Until when keys may be used without another sign of that thread, by a clock that nobody sets: after a step of the
/// system's clock, keys are neither used for longer nor refused.
pub(crate) struct Liveness {
    begin: Instant,
    silence: Duration,
    /// In milliseconds since the begin.
    until: AtomicU64,
}

impl Liveness {
    /// The thread is alive for this long after each of its signs, of which this is the first.
    pub(crate) fn new(silence: Duration) -> Self {
        let liveness = Self { begin: Instant::now(), silence, until: AtomicU64::default() };
        liveness.sign();
        liveness
    }

    /// A sign of the thread.
    pub(crate) fn sign(&self) {
        self.until.store(milliseconds(self.begin.elapsed().saturating_add(self.silence)), Ordering::Relaxed);
    }

    /// Whether the last sign is too long ago.
    pub(crate) fn is_over(&self) -> bool {
        milliseconds(self.begin.elapsed()) > self.until.load(Ordering::Relaxed)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_after_the_silence() {
        assert!(!Liveness::new(Duration::from_secs(600)).is_over());
        assert!(!Liveness::new(Duration::MAX).is_over());
        let liveness = Liveness::new(Duration::ZERO);
        while !liveness.is_over() {
            std::thread::yield_now();
        }
    }
}
