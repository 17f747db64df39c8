//! What a connection is doing, and since when: what its timeouts depend on.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is open, and has sent nothing yet.
    Fresh,
    /// It has sent a part of a request.
    Reading,
    /// Its request is being checked.
    Handling,
    /// Its answer is being sent.
    Writing,
    /// Its last answer was sent.
    Waiting,
    /// The last answer was sent, and the peer has to close.
    Closing,
}

/// How long each phase may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// How long a peer that is still sending has to receive the last answer, before the connection is reset.
const LINGER: Duration = Duration::from_secs(1);

/// The phase of one connection. It changes in the task of the connection only; others read it.
pub(crate) struct Activity {
    epoch: Instant,
    phase: AtomicU8,
    /// Since when, in milliseconds after the epoch.
    since: AtomicU64,
    /// Whether a request was answered.
    served: AtomicBool,
    /// Notified when the server stops.
    pub(crate) stop: Notify,
}

impl Activity {
    /// A connection that has just been opened. `epoch` is any moment before.
    pub(crate) fn new(epoch: Instant) -> Self {
        let activity = Self {
            epoch,
            phase: AtomicU8::new(0),
            since: AtomicU64::new(0),
            served: AtomicBool::new(false),
            stop: Notify::new(),
        };
        activity.enter(Phase::Fresh);
        activity
    }

    /// Begins a phase now.
    pub(crate) fn enter(&self, phase: Phase) {
        let since = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since.store(since, Ordering::Relaxed);
        self.phase.store(phase.number(), Ordering::Relaxed);
    }

    /// Bytes were received.
    pub(crate) fn received(&self) {
        if self.is_idle() {
            self.enter(Phase::Reading);
        }
    }

    /// All that was written has been sent.
    pub(crate) fn flushed(&self) {
        if self.phase() == Phase::Writing {
            self.served.store(true, Ordering::Relaxed);
            // Since the answer began to be sent: reading the clock is not free.
            self.phase.store(Phase::Waiting.number(), Ordering::Relaxed);
        }
    }

    /// A request is being checked, however long that takes.
    pub(crate) fn handling(&self) {
        self.phase.store(Phase::Handling.number(), Ordering::Relaxed);
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::of_number(self.phase.load(Ordering::Relaxed))
    }

    /// Whether no request has begun.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase(), Phase::Fresh | Phase::Waiting)
    }

    /// How gladly this connection is closed for another, the smallest first; `None` if a request is being answered. Those
    /// that were never answered come before those of a proxy, which uses them again.
    pub(crate) fn rank(&self) -> Option<(bool, u64)> {
        match self.phase() {
            Phase::Handling | Phase::Writing => None,
            _ => Some((self.served.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed))),
        }
    }

    /// When the phase has taken too long; `None`: it may take as long as it needs.
    pub(crate) fn deadline(&self, timeouts: Timeouts) -> Option<Instant> {
        let limit = match self.phase() {
            Phase::Fresh | Phase::Reading => timeouts.header,
            Phase::Waiting => timeouts.idle,
            Phase::Writing => timeouts.write,
            Phase::Closing => LINGER,
            Phase::Handling => return None,
        };
        self.epoch.checked_add(Duration::from_millis(self.since.load(Ordering::Relaxed)))?.checked_add(limit)
    }
}

impl Phase {
    fn number(self) -> u8 {
        match self {
            Self::Fresh => 0,
            Self::Reading => 1,
            Self::Handling => 2,
            Self::Writing => 3,
            Self::Waiting => 4,
            Self::Closing => 5,
        }
    }

    fn of_number(number: u8) -> Self {
        match number {
            0 => Self::Fresh,
            1 => Self::Reading,
            2 => Self::Handling,
            3 => Self::Writing,
            4 => Self::Waiting,
            _ => Self::Closing,
        }
    }
}
