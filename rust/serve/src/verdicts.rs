//! Counters of decisions. Each thread has its own, so that no request waits for another.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use watchword_gate::{Decision, Outcome, Scheme};

/// The upper bounds of the buckets of durations, in seconds; the last bucket has none.
pub const BOUNDS: [f64; 21] = [
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 1e-1, 2.5e-1,
    5e-1, 1.0, 2.5, 5.0,
];

const SHARDS: usize = 32;

/// How often there was such a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictCount {
    /// `allowed`, or the stable name of the error.
    pub code: &'static str,
    /// The name of the route, if one was found.
    pub route: Option<String>,
    /// The name of the issuer, if it is known.
    pub issuer: Option<String>,
    /// The scheme of the credentials, if there were any.
    pub scheme: Option<&'static str>,
    /// Whether the token was found in the token cache.
    pub cached: bool,
    /// How often.
    pub count: u64,
}

/// How long decisions took.
#[derive(Debug, Clone, PartialEq)]
pub struct Durations {
    /// Whether the request was allowed.
    pub allowed: bool,
    /// The scheme of the credentials, if there were any.
    pub scheme: Option<&'static str>,
    /// Whether the token was found in the token cache.
    pub cached: bool,
    /// The number of decisions in each bucket, not cumulated.
    pub counts: [u64; BOUNDS.len() + 1],
    /// The sum, in seconds.
    pub total: f64,
}

/// The counters.
pub(crate) struct Verdicts {
    shards: Vec<Mutex<Shard>>,
}

type Counts = Vec<(Kind, u64)>;
type ByIssuer = HashMap<Box<str>, Counts>;

#[derive(Default)]
struct Shard {
    by_route: HashMap<Box<str>, ByIssuer>,
    durations: Vec<Durations>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    code: &'static str,
    scheme: Option<&'static str>,
    cached: bool,
}

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Counts a decision that took so many seconds.
    pub(crate) fn add(&self, decision: &Decision, seconds: f64) {
        let cached = matches!(decision.outcome(), Outcome::Allowed(allowed) if allowed.cached);
        let kind = Kind { code: decision.code(), scheme: decision.scheme().map(Scheme::name), cached };
        let Some(shard) = self.shards.get(shard_of_thread()) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        with(&mut shard.by_route, decision.route().unwrap_or_default(), |by_issuer| {
            with(by_issuer, decision.issuer().unwrap_or_default(), |counts| add(counts, kind, 1));
        });
        let bucket = BOUNDS.iter().take_while(|bound| seconds > **bound).count();
        with_kind(&mut shard.durations, decision.is_allowed(), kind, |durations| {
            if let Some(count) = durations.counts.get_mut(bucket) {
                *count = count.wrapping_add(1);
            }
            durations.total += seconds;
        });
    }

    /// All counters, of all threads.
    pub(crate) fn collect(&self) -> (Vec<VerdictCount>, Vec<Durations>) {
        let mut sums: HashMap<(Box<str>, Box<str>), Counts> = HashMap::new();
        let mut durations: Vec<Durations> = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (route, by_issuer) in &shard.by_route {
                for (issuer, counts) in by_issuer {
                    let sum = sums.entry((route.clone(), issuer.clone())).or_default();
                    counts.iter().for_each(|(kind, count)| add(sum, *kind, *count));
                }
            }
            for one in &shard.durations {
                let kind = Kind { code: "", scheme: one.scheme, cached: one.cached };
                with_kind(&mut durations, one.allowed, kind, |sum| {
                    for (total, count) in sum.counts.iter_mut().zip(&one.counts) {
                        *total = total.wrapping_add(*count);
                    }
                    sum.total += one.total;
                });
            }
        }
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let mut verdicts = Vec::new();
        for ((route, issuer), counts) in &sums {
            verdicts.extend(counts.iter().map(|(kind, count)| VerdictCount {
                code: kind.code,
                route: named(route),
                issuer: named(issuer),
                scheme: kind.scheme,
                cached: kind.cached,
                count: *count,
            }));
        }
        (verdicts, durations)
    }
}

/// Changes the value of a name, which is copied when it is seen first.
fn with<T: Default, R>(map: &mut HashMap<Box<str>, T>, name: &str, change: impl FnOnce(&mut T) -> R) -> R {
    match map.get_mut(name) {
        Some(value) => change(value),
        None => change(map.entry(name.into()).or_default()),
    }
}

fn add(counts: &mut Counts, kind: Kind, times: u64) {
    match counts.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, count)) => *count = count.wrapping_add(times),
        None => counts.push((kind, times)),
    }
}

fn with_kind(all: &mut Vec<Durations>, allowed: bool, kind: Kind, change: impl FnOnce(&mut Durations)) {
    let Kind { scheme, cached, .. } = kind;
    match all.iter_mut().find(|one| (one.allowed, one.scheme, one.cached) == (allowed, scheme, cached)) {
        Some(durations) => change(durations),
        None => {
            let mut durations = Durations { allowed, scheme, cached, counts: [0; BOUNDS.len() + 1], total: 0.0 };
            change(&mut durations);
            all.push(durations);
        }
    }
}

/// The shard of this thread.
fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    SHARD.with(|shard| {
        if shard.get() == usize::MAX {
            shard.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        shard.get()
    })
}
