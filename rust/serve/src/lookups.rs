//! Requests that wait for keys, and the lookups that the host makes for them.
//!
//! One lookup at a time is made for an issuer: with the keys that the requests saw, and the `kid`s of their tokens. Requests
//! that need keys while it is made wait for the next one, as the host was not told of their `kid`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// The maximum number of requests that wait for the keys of one issuer.
const MAX_WAITING: usize = 4096;

/// The maximum number of `kid`s of one lookup: further requests wait for it, too, and new keys are found for all.
const MAX_KEY_IDS: usize = 64;

/// A lookup that the host has to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Its number, for [`finish_lookup`](crate::Server::finish_lookup).
    pub id: u64,
    /// The name of the issuer.
    pub issuer: String,
    /// The `kid`s of the tokens, unverified; `None`: a token without one.
    pub key_ids: Vec<Option<String>>,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The lookup was made: the keys that are there now are the newest.
    Finished,
    /// There are other keys now, but nobody was asked for this one.
    Changed,
    /// It took too long, or too many others wait.
    Unavailable,
}

/// All lookups.
#[derive(Default)]
pub(crate) struct Lookups {
    /// How often keys were replaced.
    generation: AtomicU64,
    state: Mutex<State>,
    offered: Condvar,
    waiting: AtomicU64,
    pub(crate) unavailable: AtomicU64,
}

#[derive(Default)]
struct State {
    next_id: u64,
    issuers: HashMap<String, Issuer>,
    is_closed: bool,
}

#[derive(Default)]
struct Issuer {
    /// What the host is looking up.
    current: Option<(u64, Vec<Waiter>)>,
    /// What it looks up next.
    next: Option<Next>,
}

#[derive(Default)]
struct Next {
    generation: u64,
    key_ids: Vec<Option<String>>,
    waiters: Vec<Waiter>,
}

type Waiter = oneshot::Sender<Waited>;

/// Counts a request as waiting, until it is dropped.
struct Waiting<'a>(&'a AtomicU64);

impl Lookups {
    /// How often keys were replaced: taken before a request is checked.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Keys were replaced.
    pub(crate) fn keys_changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of requests that wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The number of lookups that were offered to the host.
    pub(crate) fn count(&self) -> u64 {
        self.lock().next_id
    }

    /// Waits for keys of an issuer, which were seen in this generation and lack the one that a token names.
    pub(crate) async fn wait(
        &self,
        issuer: &str,
        key_id: Option<String>,
        generation: u64,
        timeout: Duration,
    ) -> Waited {
        let Some(receiver) = self.join(issuer, key_id, generation) else {
            self.unavailable.fetch_add(1, Ordering::Relaxed);
            return Waited::Unavailable;
        };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        let waited = tokio::time::timeout(timeout, receiver).await;
        drop(waiting);
        // An error of the receiver: the server ends.
        let waited = waited.ok().and_then(Result::ok).unwrap_or(Waited::Unavailable);
        if waited == Waited::Unavailable {
            self.unavailable.fetch_add(1, Ordering::Relaxed);
        }
        waited
    }

    fn join(&self, issuer: &str, key_id: Option<String>, generation: u64) -> Option<oneshot::Receiver<Waited>> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        if self.generation() != generation {
            let _ = sender.send(Waited::Changed);
            return Some(receiver);
        }
        let of_issuer = match state.issuers.get_mut(issuer) {
            Some(of_issuer) => of_issuer,
            None => state.issuers.entry(issuer.to_owned()).or_default(),
        };
        let next = of_issuer.next.get_or_insert_default();
        if next.waiters.len() >= MAX_WAITING {
            next.waiters.retain(|waiter| !waiter.is_closed());
        }
        if next.waiters.len() >= MAX_WAITING {
            return None;
        }
        next.generation = generation;
        if next.key_ids.len() < MAX_KEY_IDS && !next.key_ids.contains(&key_id) {
            next.key_ids.push(key_id);
        }
        next.waiters.push(sender);
        if of_issuer.current.is_none() {
            self.offered.notify_one();
        }
        Some(receiver)
    }

    /// The next lookup to make, of those that requests wait for. Blocks for `timeout` at most.
    pub(crate) fn next(&self, timeout: Duration) -> Option<Lookup> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(lookup) = self.take(&mut state) {
                return Some(lookup);
            }
            let left = match deadline {
                Some(deadline) => deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?,
                None => timeout,
            };
            state = self.offered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn take(&self, state: &mut State) -> Option<Lookup> {
        let generation = self.generation();
        let State { next_id, issuers, .. } = state;
        for (name, issuer) in issuers.iter_mut().filter(|(_, issuer)| issuer.current.is_none()) {
            let Some(next) = issuer.next.take() else { continue };
            if next.generation != generation {
                // Newer keys may have what is missing.
                wake(next.waiters, Waited::Changed);
                continue;
            }
            let waiters: Vec<_> = next.waiters.into_iter().filter(|waiter| !waiter.is_closed()).collect();
            if waiters.is_empty() {
                continue;
            }
            *next_id = next_id.saturating_add(1);
            issuer.current = Some((*next_id, waiters));
            return Some(Lookup { id: *next_id, issuer: name.clone(), key_ids: next.key_ids });
        }
        None
    }

    /// A lookup was made; the requests that waited for it are decided. Does nothing if it is not the current one of its
    /// issuer.
    pub(crate) fn finish(&self, id: u64) {
        let mut state = self.lock();
        let is_it = |issuer: &&mut Issuer| issuer.current.as_ref().is_some_and(|(current, _)| *current == id);
        if let Some((_, waiters)) = state.issuers.values_mut().find(is_it).and_then(|issuer| issuer.current.take()) {
            wake(waiters, Waited::Finished);
            self.offered.notify_one();
        }
    }

    /// Ends all waits: no lookup will be made any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.issuers.clear();
        self.offered.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn wake(waiters: Vec<Waiter>, how: Waited) {
    for waiter in waiters {
        // Its client may have left.
        let _ = waiter.send(how);
    }
}
