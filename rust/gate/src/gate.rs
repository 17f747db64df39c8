//! The gate: rules and keys that are replaced as a whole while requests are checked.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use watchword_kernel::{KeySet, ReplayCache, TokenCache, UnixTime, Use};

use crate::decision::Decision;
use crate::failure::Failure;
use crate::read::Read;
use crate::request::Request;
use crate::rules::{Guard, Keys, Rules};
use crate::sent_token::{Here, Progress, SentToken, Terms, UnusedProof};
use crate::template::Variables;

/// Checks requests, from any number of threads at once. A request sees the rules and keys of one moment, to its end, unless
/// it waits for newer keys.
pub struct Gate {
    state: ArcSwap<State>,
    cache: ArcSwapOption<TokenCache>,
    replay: Replay,
}

struct State {
    rules: Arc<Rules>,
    keys: Keys,
}

/// Where the ids of used proofs are kept.
pub enum Replay {
    /// In this process.
    Memory(Arc<ReplayCache>),
    /// Nowhere: a proof may be used again until it is too old.
    Unchecked,
    /// In a store of the caller, which [`Gate::progress`] leaves the last check to.
    External,
}

impl Gate {
    /// A gate with these rules, and the keys of their issuers.
    pub fn new(rules: Arc<Rules>, keys: Keys, cache: Option<Arc<TokenCache>>, replay: Replay) -> Self {
        Self { state: ArcSwap::from_pointee(State { rules, keys }), cache: ArcSwapOption::new(cache), replay }
    }

    /// Decides on a request as of `now`, with the keys that there are. `nonces` are accepted now, the newest first, if
    /// proofs need one. A proof whose use only the caller's store knows is rejected as `dpop_replay_unavailable`.
    pub fn check(&self, request: &Request<'_>, now: UnixTime, nonces: Option<&[String]>) -> Decision {
        match self.progress(request, now, nonces) {
            Progress::Decided(decision) => decision,
            Progress::NeedsKeys(sent, failure) => sent.reject(failure),
            Progress::UnusedProof(unused) => unused.reject(Failure::new(UNAVAILABLE)),
        }
    }

    /// Decides on a request as of `now`, as far as that is possible without waiting: for keys
    /// ([`resume`](Self::resume) then decides), or, with [`Replay::External`], for the caller's store of used proofs.
    ///
    /// Only a token that passes every check that needs no key, and that names the issuer, needs keys: no other token may
    /// cause a fetch.
    pub fn progress(&self, request: &Request<'_>, now: UnixTime, nonces: Option<&[String]>) -> Progress {
        let state = self.state.load();
        self.continued(state.rules.read(request, now), &state.keys, now, nonces)
    }

    fn continued(&self, read: Read, keys: &Keys, now: UnixTime, nonces: Option<&[String]>) -> Progress {
        match read {
            Read::Decided(decision) => Progress::Decided(decision),
            Read::Token(sent) => {
                let keys = keys.get(sent.issuer()).and_then(Option::as_ref);
                self.verify(sent, keys, now, nonces)
            }
        }
    }

    /// The same for a request whose route another router has chosen: `guard`, compiled for these rules, is what is required,
    /// and `variables` are those of the path.
    pub fn progress_for(
        &self,
        guard: &Arc<Guard>,
        variables: Variables,
        request: &Request<'_>,
        now: UnixTime,
        nonces: Option<&[String]>,
    ) -> Progress {
        let state = self.state.load();
        self.continued(state.rules.read_for(guard, variables, request, now), &state.keys, now, nonces)
    }

    /// Decides on a token that needed keys, with those that there are now.
    pub fn resume(&self, sent: SentToken, now: UnixTime, nonces: Option<&[String]>) -> Progress {
        let state = self.state.load();
        // By its name: since the request was read, the rules may have been replaced.
        let keys = sent.issuer_name().and_then(|name| state.keys_of(name)).cloned();
        self.verify(sent, keys.as_ref(), now, nonces)
    }

    fn verify(
        &self,
        sent: SentToken,
        keys: Option<&Arc<KeySet>>,
        now: UnixTime,
        nonces: Option<&[String]>,
    ) -> Progress {
        let progress = match keys {
            None => Progress::NeedsKeys(sent, Failure::new("keys_unavailable")),
            Some(keys) => sent.verify(Terms { keys, now, nonces, cache: self.cache.load().as_deref() }, &Here),
        };
        match progress {
            Progress::NeedsKeys(sent, failure) => match sent.check_without_keys(now) {
                Some(decision) => Progress::Decided(decision),
                None => Progress::NeedsKeys(sent, failure),
            },
            Progress::UnusedProof(unused) => match &self.replay {
                Replay::External => Progress::UnusedProof(unused),
                Replay::Unchecked => Progress::Decided(unused.first_use()),
                Replay::Memory(cache) => Progress::Decided(use_proof(cache, unused, now)),
            },
            decided @ Progress::Decided(_) => decided,
        }
    }

    /// Replaces the rules, and the keys of their issuers. Requests that are being checked keep the old ones.
    pub fn replace(&self, rules: Arc<Rules>, keys: Keys) {
        self.state.store(Arc::new(State { rules, keys }));
    }

    /// Replaces the keys of one issuer (`None`: they are unavailable). Returns whether the rules have an issuer of this
    /// name.
    pub fn replace_keys(&self, issuer: &str, keys: Option<Arc<KeySet>>) -> bool {
        let previous = self.state.rcu(|state| {
            let mut all = state.keys.clone();
            if let Some(of_issuer) = state.position(issuer).and_then(|index| all.get_mut(index)) {
                of_issuer.clone_from(&keys);
            }
            State { rules: Arc::clone(&state.rules), keys: all }
        });
        previous.position(issuer).is_some()
    }

    /// The keys of an issuer, by its name; `None` if they are unavailable, or if the rules have no such issuer.
    pub fn keys_of(&self, issuer: &str) -> Option<Arc<KeySet>> {
        self.state.load().keys_of(issuer).cloned()
    }

    /// The rules.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.state.load().rules)
    }

    /// The cache of verified tokens, if there is one.
    pub fn token_cache(&self) -> Option<Arc<TokenCache>> {
        self.cache.load_full()
    }

    /// Replaces the cache of verified tokens.
    pub fn replace_token_cache(&self, cache: Option<Arc<TokenCache>>) {
        self.cache.store(cache);
    }

    /// Where the ids of used proofs are kept.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }
}

impl State {
    fn position(&self, issuer: &str) -> Option<usize> {
        self.rules.issuer_names.iter().position(|name| &**name == issuer)
    }

    fn keys_of(&self, issuer: &str) -> Option<&Arc<KeySet>> {
        self.keys.get(self.position(issuer)?)?.as_ref()
    }
}

const UNAVAILABLE: &str = "dpop_replay_unavailable";

fn use_proof(cache: &ReplayCache, unused: UnusedProof, now: UnixTime) -> Decision {
    let code = match cache.consume(&unused.proof().replay_id(), unused.proof().expires_at(), now) {
        Use::First => return unused.first_use(),
        Use::Again => "dpop_replayed",
        Use::ShareFull => "dpop_too_many_proofs",
        Use::Full | Use::Expired => UNAVAILABLE,
    };
    unused.reject(Failure::new(code))
}
