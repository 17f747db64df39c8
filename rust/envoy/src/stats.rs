//! The counters of the filter, in the namespace that Envoy's configuration gives (`metrics_namespace`).

use std::sync::atomic::{AtomicU64, Ordering};

use watchword_embedded::Event;
use watchword_gate::{Decision, Outcome};

use crate::stream::{Counter, Metrics, Stream};

/// The counters.
pub(crate) struct Stats {
    allowed: Counter,
    anonymous: Counter,
    rejected: Counter,
    files_loaded: Counter,
    files_refused: Counter,
}

/// What happened to the files and is not counted yet: Envoy counts on its own threads only.
#[derive(Debug, Default)]
pub(crate) struct FileEvents {
    loaded: AtomicU64,
    refused: AtomicU64,
}

impl FileEvents {
    /// Notes an event.
    pub(crate) fn note(&self, event: &Event) {
        match event {
            Event::ConfigLoaded | Event::KeysLoaded(..) => &self.loaded,
            _ => &self.refused,
        }
        .fetch_add(1, Ordering::Relaxed);
    }
}

impl Stats {
    /// Defines the counters. `None` if Envoy does not.
    pub(crate) fn define(metrics: &mut impl Metrics) -> Option<Self> {
        Some(Self {
            allowed: metrics.define_counter("allowed", &[])?,
            anonymous: metrics.define_counter("anonymous", &[])?,
            rejected: metrics.define_counter("rejected", &["code"])?,
            files_loaded: metrics.define_counter("files_loaded", &[])?,
            files_refused: metrics.define_counter("files_refused", &[])?,
        })
    }

    /// Counts a decision, and what has happened to the files since the last one.
    pub(crate) fn count(&self, stream: &mut impl Stream, decision: &Decision, files: &FileEvents) {
        match decision.outcome() {
            Outcome::Allowed(allowed) if allowed.token.is_some() => stream.count(self.allowed, &[], 1),
            Outcome::Allowed(_) => stream.count(self.anonymous, &[], 1),
            Outcome::Rejected(_) => stream.count(self.rejected, &[decision.code()], 1),
        }
        for (counter, pending) in [(self.files_loaded, &files.loaded), (self.files_refused, &files.refused)] {
            if pending.load(Ordering::Relaxed) > 0 {
                stream.count(counter, &[], pending.swap(0, Ordering::Relaxed));
            }
        }
    }
}
