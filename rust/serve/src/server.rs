//! The server: its sockets, its threads, its end.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use watchword_gate::config::ListenAddress;
use watchword_gate::{Gate, Keys, Nonces, Replay, Rules, TraceIds};
use watchword_kernel::{KeySet, ReplayCache, TokenCache};

use crate::accepting::accept;
use crate::check::{Beside, Checker, Metadata};
use crate::connection::ConnectionLimits;
use crate::connections::Connections;
use crate::files::raise_limit;
use crate::listener::Bound;
use crate::lookups::{Lookup, Lookups};
use crate::pages::{Pages, Render};
use crate::phase::Timeouts;
use crate::records::{Record, Records};
use crate::settings::{MAX_PAGES, MAX_STATUS_CONNECTIONS, Settings};
use crate::shared_replay::SharedReplay;
use crate::stats::Stats;
use crate::verdicts::Verdicts;

/// How long threads may take to end after the last connection was closed.
const END: Duration = Duration::from_secs(1);

/// What requests are checked by: replaced as a whole.
pub struct Configured {
    /// The rules.
    pub rules: Arc<Rules>,
    /// The keys of their issuers.
    pub keys: Keys,
    /// The cache of verified tokens.
    pub cache: Option<Arc<TokenCache>>,
    /// The nonces that proofs need.
    pub nonces: Option<Arc<Nonces>>,
    /// The metadata of the resource.
    pub metadata: Option<Metadata>,
}

/// Where the ids of used proofs are kept.
pub enum ReplayStore {
    /// In this process.
    Memory(Arc<ReplayCache>),
    /// Nowhere: a proof may be used again until it is too old.
    Unchecked,
    /// In Redis or Valkey, at this URL.
    Shared(String),
}

/// A server. It belongs to the process that made it: a forked child has none of its threads, and must not use it.
pub struct Server {
    checker: Arc<Checker>,
    pages: Arc<Pages>,
    connections: Arc<Connections>,
    status_connections: Arc<Connections>,
    addresses: Vec<ListenAddress>,
    status_addresses: Vec<ListenAddress>,
    stop: watch::Sender<bool>,
    state: Mutex<State>,
    /// The process that made it.
    owner: u32,
}

enum State {
    Bound(Sockets),
    Running(Runtime, Sockets),
    Stopped,
}

/// The sockets, of proxies and of the status pages: closed, and their files removed, with this object.
struct Sockets {
    check: Vec<Bound>,
    status: Vec<Bound>,
}

impl Server {
    /// Binds the sockets.
    ///
    /// # Errors
    /// That of the system if an address cannot be bound; [`io::ErrorKind::InvalidInput`] if a setting is invalid.
    pub fn bind(
        settings: Settings,
        configured: Configured,
        replay: ReplayStore,
        render: Arc<Render>,
    ) -> io::Result<Self> {
        if settings.listen.is_empty() {
            return Err(invalid("listen is empty: name an address, such as \"127.0.0.1:9200\""));
        }
        let (of_gate, shared) = match replay {
            ReplayStore::Memory(cache) => (Replay::Memory(cache), None),
            ReplayStore::Unchecked => (Replay::Unchecked, None),
            ReplayStore::Shared(url) => {
                let shared =
                    SharedReplay::new(&url, settings.replay_timeout, ids()?).map_err(|error| invalid(&error))?;
                (Replay::External, Some(shared))
            }
        };
        let bind = |addresses: &[ListenAddress]| {
            addresses.iter().map(|address| Bound::new(address, settings.socket_mode)).collect::<io::Result<Vec<_>>>()
        };
        let sockets = Sockets { check: bind(&settings.listen)?, status: bind(&settings.status_listen)? };
        let addresses = |sockets: &[Bound]| sockets.iter().map(|bound| bound.address.clone()).collect();
        let Configured { rules, keys, cache, nonces, metadata } = configured;
        retain_for(&of_gate, shared.as_ref(), &rules);
        Ok(Self {
            addresses: addresses(&sockets.check),
            status_addresses: addresses(&sockets.status),
            connections: Arc::new(Connections::new(raise_limit(settings.max_connections.get()))),
            status_connections: Arc::new(Connections::new(MAX_STATUS_CONNECTIONS)),
            pages: Arc::new(Pages::new(render)),
            checker: Arc::new(Checker {
                gate: Gate::new(rules, keys, cache, of_gate),
                beside: ArcSwap::from_pointee(Beside { nonces, metadata }),
                replay: shared,
                lookups: Lookups::default(),
                verdicts: Verdicts::new(),
                records: Records::default(),
                trace_ids: ids()?,
                settings,
            }),
            stop: watch::Sender::new(false),
            state: Mutex::new(State::Bound(sockets)),
            owner: std::process::id(),
        })
    }

    /// Where proxies ask, with the ports that were chosen.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Where the status pages are.
    pub fn status_addresses(&self) -> &[ListenAddress] {
        &self.status_addresses
    }

    /// Starts the threads, and returns. Does nothing if they run.
    ///
    /// # Errors
    /// That of the system if a thread cannot be started; an error if the server was stopped.
    pub fn start(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sockets = match std::mem::replace(&mut *state, State::Stopped) {
            State::Bound(sockets) => sockets,
            State::Running(runtime, sockets) => {
                *state = State::Running(runtime, sockets);
                return Ok(());
            }
            State::Stopped => return Err(io::Error::other("the server was stopped: make a new one")),
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(self.checker.settings.threads.get())
            .max_blocking_threads(MAX_PAGES)
            .thread_name("watchword-serve")
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        for bound in &sockets.check {
            let checker = Arc::clone(&self.checker);
            let answer = move |request| checker.answer(request);
            let connections = Arc::clone(&self.connections);
            runtime.spawn(accept(bound.listener()?, connections, self.limits(), self.stop.subscribe(), answer));
        }
        for bound in &sockets.status {
            let pages = Arc::clone(&self.pages);
            let answer = move |request| Box::pin(Arc::clone(&pages).answer(request));
            let connections = Arc::clone(&self.status_connections);
            runtime.spawn(accept(bound.listener()?, connections, self.limits(), self.stop.subscribe(), answer));
        }
        drop(guard);
        *state = State::Running(runtime, sockets);
        Ok(())
    }

    fn limits(&self) -> ConnectionLimits {
        let settings = &self.checker.settings;
        ConnectionLimits {
            timeouts: Timeouts {
                header: settings.header_timeout,
                idle: settings.idle_timeout,
                write: settings.write_timeout,
            },
            max_header_bytes: settings.max_header_bytes,
        }
    }

    /// Replaces what requests are checked by. Used proofs stay used.
    pub fn replace(&self, configured: Configured) {
        let Configured { rules, keys, cache, nonces, metadata } = configured;
        retain_for(self.checker.gate.replay(), self.checker.replay.as_ref(), &rules);
        self.checker.beside.store(Arc::new(Beside { nonces, metadata }));
        self.checker.gate.replace_token_cache(cache);
        self.checker.gate.replace(rules, keys);
        self.checker.lookups.keys_changed();
    }

    /// Replaces the keys of an issuer (`None`: they are unavailable). Returns whether there is an issuer of this name.
    pub fn set_keys(&self, issuer: &str, keys: Option<Arc<KeySet>>) -> bool {
        let is_known = self.checker.gate.replace_keys(issuer, keys);
        self.checker.lookups.keys_changed();
        is_known
    }

    /// The next lookup of keys that requests wait for, and the keys that they saw. Blocks for `timeout` at most.
    pub fn next_lookup(&self, timeout: Duration) -> Option<(Lookup, Option<Arc<KeySet>>)> {
        let lookup = self.checker.lookups.next(timeout)?;
        let keys = self.checker.gate.keys_of(&lookup.issuer);
        Some((lookup, keys))
    }

    /// A lookup was made, and its keys [set](Self::set_keys) if there are new ones: the requests that wait for it are
    /// decided.
    pub fn finish_lookup(&self, id: u64) {
        self.checker.lookups.finish(id);
    }

    /// The decisions to be logged. Blocks for `timeout` at most, until there is one.
    pub fn drain_records(&self, timeout: Duration) -> Vec<Record> {
        self.checker.records.drain(timeout)
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.checker, &self.connections, &self.status_connections)
    }

    /// Whether this process made the server; a forked child did not.
    pub fn is_owned(&self) -> bool {
        std::process::id() == self.owner
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.checker.gate
    }

    /// Accepts no more connections, and closes those without a request; those that have one get their answer, within
    /// `grace`. Blocks until all are closed. Does nothing if the server was stopped.
    pub fn stop(&self, grace: Duration) {
        if !self.is_owned() {
            return;
        }
        let state = std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        self.stop.send_replace(true);
        if let State::Running(runtime, sockets) = state {
            drop(sockets);
            self.connections.stop();
            self.status_connections.stop();
            runtime.block_on(async {
                let closed = async { tokio::join!(self.connections.closed(), self.status_connections.closed()) };
                if tokio::time::timeout(grace, closed).await.is_err() {
                    // Requests that wait for keys still get an answer.
                    self.checker.lookups.close();
                    let _ = tokio::time::timeout(END, self.connections.closed()).await;
                }
            });
            runtime.shutdown_timeout(END);
        }
        self.checker.lookups.close();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_owned() {
            self.stop(Duration::ZERO);
            return;
        }
        // In a forked child: its threads do not exist, and the files of its sockets are the parent's.
        if let Ok(mut state) = self.state.try_lock() {
            std::mem::forget(std::mem::replace(&mut *state, State::Stopped));
        }
    }
}

/// Keeps the ids of used proofs for as long as these rules accept them.
fn retain_for(replay: &Replay, shared: Option<&SharedReplay>, rules: &Rules) {
    let lifetime = rules.proofs.lifetime();
    if let Replay::Memory(cache) = replay {
        cache.retain_for(lifetime);
    }
    if let Some(shared) = shared {
        shared.retain_for(lifetime);
    }
}

/// Ids that no other process has.
fn ids() -> io::Result<TraceIds> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(TraceIds::new(seed))
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
