//! What a server counts.

use std::sync::atomic::Ordering;

use crate::check::Checker;
use crate::connections::Connections;
use crate::verdicts::{Durations, VerdictCount};

/// The counters of a server, since it started.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// The decisions.
    pub verdicts: Vec<VerdictCount>,
    /// How long they took.
    pub durations: Vec<Durations>,
    /// The connections of proxies.
    pub connections: ConnectionStats,
    /// The connections to the status pages.
    pub status_connections: ConnectionStats,
    /// The lookups of keys that the host was asked for.
    pub lookups: u64,
    /// The requests that wait for keys now.
    pub waiting_for_keys: u64,
    /// The requests that waited for keys in vain: too long, or with too many others.
    pub waits_failed: u64,
    /// The requests for which the shared replay store was unavailable.
    pub replay_failures: u64,
    /// The connections that were made to it.
    pub replay_connects: u64,
    /// The records of decisions that were dropped, as too many were waiting.
    pub records_dropped: u64,
}

/// The connections of one kind of listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionStats {
    /// How many are open.
    pub open: usize,
    /// How many may be open.
    pub limit: usize,
    /// How many were accepted.
    pub accepted: u64,
    /// How many were refused, as all others were being answered.
    pub refused: u64,
    /// How many were closed for new ones, as they had waited longest.
    pub evicted: u64,
    /// How many were closed by a timeout: of the head, between requests, of an answer.
    pub timed_out: u64,
    /// How many were closed as what they sent is not HTTP/1.1.
    pub malformed: u64,
    /// How often accepting a connection failed.
    pub accept_errors: u64,
}

impl Stats {
    pub(crate) fn of(checker: &Checker, connections: &Connections, status: &Connections) -> Self {
        let (verdicts, durations) = checker.verdicts.collect();
        let replay = checker.replay.as_ref();
        Self {
            verdicts,
            durations,
            connections: ConnectionStats::of(connections),
            status_connections: ConnectionStats::of(status),
            lookups: checker.lookups.count(),
            waiting_for_keys: checker.lookups.waiting(),
            waits_failed: checker.lookups.unavailable.load(Ordering::Relaxed),
            replay_failures: replay.map_or(0, |replay| replay.failures.load(Ordering::Relaxed)),
            replay_connects: replay.map_or(0, |replay| replay.connects.load(Ordering::Relaxed)),
            records_dropped: checker.records.dropped(),
        }
    }
}

impl ConnectionStats {
    fn of(connections: &Connections) -> Self {
        let counts = &connections.counts;
        Self {
            open: connections.count(),
            limit: connections.limit(),
            accepted: counts.accepted.load(Ordering::Relaxed),
            refused: counts.refused.load(Ordering::Relaxed),
            evicted: counts.evicted.load(Ordering::Relaxed),
            timed_out: counts.timed_out.load(Ordering::Relaxed),
            malformed: counts.malformed.load(Ordering::Relaxed),
            accept_errors: counts.accept_errors.load(Ordering::Relaxed),
        }
    }
}
