//! The gate: rules and keys that are replaced as a whole while requests are checked.

use std::sync::Arc;

use arc_swap::ArcSwap;
use watchword_kernel::{KeySet, ReplayCache, TokenCache, UnixTime, Use};

use crate::decision::Decision;
use crate::failure::Failure;
use crate::read::Read;
use crate::request::Request;
use crate::rules::{Keys, Rules};
use crate::sent_token::{Here, Progress, Terms, UnusedProof};

/// Checks requests, from any number of threads at once. A request sees the rules and keys of one moment, to its end.
pub struct Gate {
    state: ArcSwap<State>,
    cache: Option<TokenCache>,
    replay: Replay,
}

struct State {
    rules: Arc<Rules>,
    keys: Keys,
}

/// Where the ids of used proofs are kept.
pub enum Replay {
    /// In this process.
    Memory(Box<ReplayCache>),
    /// Nowhere: a proof may be used again until it is too old.
    Unchecked,
}

impl Gate {
    /// A gate with these rules, and the keys of their issuers.
    pub fn new(rules: Rules, keys: Keys, cache: Option<TokenCache>, replay: Replay) -> Self {
        Self { state: ArcSwap::from_pointee(State { rules: Arc::new(rules), keys }), cache, replay }
    }

    /// Decides on a request as of `now`. `nonces` are accepted now, the newest first, if proofs need one.
    pub fn check(&self, request: &Request<'_>, now: UnixTime, nonces: Option<&[String]>) -> Decision {
        let state = self.state.load();
        let sent = match state.rules.read(request, now) {
            Read::Decided(decision) => return decision,
            Read::Token(sent) => sent,
        };
        let Some(keys) = state.keys.get(sent.issuer()).and_then(Option::as_ref) else {
            return sent.reject(Failure::new("keys_unavailable"));
        };
        match sent.verify(Terms { keys, now, nonces, cache: self.cache.as_ref() }, &Here) {
            Progress::Decided(decision) => decision,
            Progress::UnknownKey(sent, failure) => sent.reject(failure),
            Progress::UnusedProof(unused) => self.use_proof(unused, now),
        }
    }

    fn use_proof(&self, unused: UnusedProof, now: UnixTime) -> Decision {
        let Replay::Memory(cache) = &self.replay else { return unused.first_use() };
        let code = match cache.consume(&unused.proof().replay_id(), unused.proof().expires_at(), now) {
            Use::First => return unused.first_use(),
            Use::Again => "dpop_replayed",
            Use::ShareFull => "dpop_too_many_proofs",
            Use::Full | Use::Expired => "dpop_replay_unavailable",
        };
        unused.reject(Failure::new(code))
    }

    /// Replaces the rules, and the keys of their issuers. Requests that are being checked keep the old ones.
    pub fn replace(&self, rules: Rules, keys: Keys) {
        self.state.store(Arc::new(State { rules: Arc::new(rules), keys }));
    }

    /// Replaces the keys of one issuer (`None`: they are unavailable). Returns whether the rules have an issuer of this
    /// name.
    pub fn replace_keys(&self, issuer: &str, keys: Option<Arc<KeySet>>) -> bool {
        let position = |state: &State| state.rules.issuer_names.iter().position(|name| &**name == issuer);
        let previous = self.state.rcu(|state| {
            let mut all = state.keys.clone();
            if let Some(of_issuer) = position(state).and_then(|index| all.get_mut(index)) {
                of_issuer.clone_from(&keys);
            }
            State { rules: Arc::clone(&state.rules), keys: all }
        });
        position(&previous).is_some()
    }
}
