//! The gate, with all that it needs to decide on a request.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use arc_swap::ArcSwap;
use watchword_gate::template::Variables;
use watchword_gate::{Decision, Failure, Progress, Read, Request, Rules, TraceId, TraceIds, UnusedProof};
use watchword_kernel::UnixTime;

use crate::clock;
use crate::config_source::{ConfigReader, ConfigSource};
use crate::event::{Listener, Status};
use crate::liveness::Liveness;
use crate::loaded::{Kept, Loaded};
use crate::open_error::OpenError;
use crate::options::Options;
use crate::requirements::Requirements;
use crate::watcher::{Watcher, silence};

/// A gate whose configuration and keys are files, which are read again if they change. It may be used from any number of
/// threads at once.
///
/// It has a thread, which does not exist in the child of a fork: open it after the fork. A child that uses it all the same
/// rejects every token after a while, as its keys would never change.
pub struct EmbeddedGate {
    pub(crate) shared: Arc<Shared>,
    trace_ids: TraceIds,
    /// Dropped with the gate: the thread then ends.
    _stop: Sender<()>,
}

/// What requests share with the thread that reads the files.
pub(crate) struct Shared {
    pub(crate) loaded: ArcSwap<Loaded>,
    /// The signs of that thread.
    pub(crate) liveness: Liveness,
    /// Written by that thread only.
    pub(crate) status: ArcSwap<Status>,
}

/// How far a request came.
#[allow(clippy::large_enum_variant, reason = "moved once, to the caller")]
pub enum Checked {
    /// There is a decision.
    Decided(Decision),
    /// The request may pass if the caller's store has no use of its proof.
    UnusedProof(UnusedProof),
}

impl EmbeddedGate {
    /// Opens a gate: reads the configuration and all files that it needs, and starts the thread that reads them again.
    /// `listener` is called in that thread for each event after this.
    ///
    /// # Errors
    /// [`OpenError`] with what is wrong, for the operator.
    pub fn open(source: ConfigSource, options: Options, listener: Listener) -> Result<Self, OpenError> {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(|error| OpenError::new(format!("no random number: {error}")))?;
        let now = clock::now();
        let mut reader = ConfigReader::new(source);
        let config = reader.read()?;
        let kept = Kept::of(&config, options.replay_group.as_deref());
        let (loaded, files) = Loaded::new(config, &reader, options.keys_file.as_ref(), options.replay, &kept, now)?;
        let shared = Arc::new(Shared {
            loaded: ArcSwap::from_pointee(loaded),
            liveness: Liveness::new(silence(options.check_interval)),
            status: ArcSwap::from_pointee(Status { configs_loaded: 1, ..Status::default() }),
        });
        let (unavailable, refusal) = (HashSet::new(), None);
        let watched = Arc::clone(&shared);
        let watcher =
            Watcher { shared: watched, reader, files, kept, options, listener, unavailable, refusal, chosen: now };
        Ok(Self { shared, trace_ids: TraceIds::new(seed), _stop: watcher.start()? })
    }

    /// Decides on a request as of now.
    pub fn check(&self, request: &Request<'_>) -> Checked {
        let loaded = self.shared.loaded.load();
        let gate = &loaded.gate;
        let progress = |now, nonces: Option<&[String]>| gate.progress(request, now, nonces);
        self.decide(&loaded, progress, |rules, now| rules.read(request, now))
    }

    /// The same for a request whose route the proxy has chosen.
    ///
    /// # Errors
    /// [`OpenError`] if the requirements contradict the configuration by now: the request must be rejected.
    pub fn check_for(&self, requirements: &Requirements, request: &Request<'_>) -> Result<Checked, OpenError> {
        let loaded = self.shared.loaded.load_full();
        let guard = requirements.guard(&loaded)?;
        let (gate, none) = (&loaded.gate, Variables::default);
        let progress = |now, nonces: Option<&[String]>| gate.progress_for(&guard, none(), request, now, nonces);
        Ok(self.decide(&loaded, progress, |rules, now| rules.read_for(&guard, none(), request, now)))
    }

    /// Compiles requirements for requests whose route the proxy has chosen: the keys of one of the `[[routes]]` without
    /// `path` and `methods`, in JSON. Without a `name` they have this one.
    ///
    /// # Errors
    /// [`OpenError`] with all that is wrong.
    pub fn requirements(&self, json: &str, name: &str) -> Result<Requirements, OpenError> {
        let loaded = self.shared.loaded.load();
        let invalid = |error| OpenError::of_config(None, &error);
        let route = loaded.config.route_requirements(json, name).map_err(invalid)?;
        loaded.config.guard_of(&route).map_err(invalid)?;
        Ok(Requirements::new(route))
    }

    /// Whether requests may have proofs whose use has to be recorded.
    pub fn records_proofs(&self) -> bool {
        self.shared.loaded.load().records_proofs
    }

    /// The rules that are in use: which headers are read, and which must not reach the application.
    pub fn rules(&self) -> Arc<Rules> {
        self.shared.loaded.load().gate.rules()
    }

    /// An id for the answer to a request that has none.
    pub fn trace_id(&self) -> TraceId {
        self.trace_ids.next_id()
    }

    /// How the gate is.
    pub fn status(&self) -> Status {
        let keys_of = |name: &Arc<str>| self.shared.loaded.load().gate.keys_of(name).map(|keys| keys.keys().len());
        let issuers = self.rules().issuer_names.iter().map(|name| (name.to_string(), keys_of(name))).collect();
        Status { issuers, ..Status::clone(&self.shared.status.load()) }
    }

    fn decide(
        &self,
        loaded: &Loaded,
        progress: impl FnOnce(UnixTime, Option<&[String]>) -> Progress,
        read: impl FnOnce(&Arc<Rules>, UnixTime) -> Read,
    ) -> Checked {
        let now = clock::now();
        if self.shared.liveness.is_over() {
            return Checked::Decided(match read(&loaded.gate.rules(), now) {
                Read::Decided(decision) => decision,
                Read::Token(sent) => sent.reject(Failure::new("keys_unavailable")),
            });
        }
        let nonces = loaded.nonces.as_ref().map(|nonces| nonces.valid(now));
        match progress(now, nonces.as_deref()) {
            Progress::Decided(decision) => Checked::Decided(decision),
            Progress::NeedsKeys(sent, failure) => Checked::Decided(sent.reject(failure)),
            Progress::UnusedProof(unused) => Checked::UnusedProof(unused),
        }
    }
}
