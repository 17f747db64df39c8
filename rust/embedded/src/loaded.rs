//! A configuration that was read whole: its rules, keys and nonces.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use watchword_gate::config::{GateConfig, Replay as ReplayConfig};
use watchword_gate::{Access, Gate, Nonces, Replay};
use watchword_kernel::{ReplayCache, TokenCache, UnixTime};

use crate::config_source::ConfigReader;
use crate::file::WatchedFile;
use crate::key_files::KeyFiles;
use crate::open_error::OpenError;
use crate::options::ReplayStore;
use crate::replay_cache::replay_cache;
use crate::secret_files::SecretFiles;

/// What requests are checked with: replaced as a whole if the configuration changes.
pub(crate) struct Loaded {
    pub(crate) config: GateConfig,
    pub(crate) gate: Gate,
    pub(crate) nonces: Option<Nonces>,
    /// Whether requests may have proofs whose use has to be recorded.
    pub(crate) records_proofs: bool,
}

/// The files that a configuration names.
pub(crate) struct Files {
    pub(crate) keys: KeyFiles,
    pub(crate) secrets: Vec<WatchedFile>,
}

/// What stays if the configuration changes.
pub(crate) struct Kept {
    cache: Option<Arc<TokenCache>>,
    replay_cache: Arc<ReplayCache>,
}

impl Kept {
    /// The caches of the sizes that a configuration says, but for what the group of gates already has.
    pub(crate) fn of(config: &GateConfig, replay_group: Option<&str>) -> Self {
        let capacity = config.dpop.replay_capacity.and_then(|capacity| usize::try_from(capacity).ok());
        let capacity = capacity.and_then(NonZeroUsize::new).unwrap_or(ReplayCache::DEFAULT_CAPACITY);
        let max_bytes = config.token_cache_bytes;
        Self {
            cache: (max_bytes > 0).then(|| Arc::new(TokenCache::new(max_bytes))),
            replay_cache: replay_cache(replay_group, capacity),
        }
    }
}

impl Loaded {
    /// Compiles a configuration, and reads the files that it names.
    ///
    /// # Errors
    /// [`OpenError`] with what is wrong.
    pub(crate) fn new(
        config: GateConfig,
        reader: &ConfigReader,
        keys_file: Option<&PathBuf>,
        store: ReplayStore,
        kept: &Kept,
        now: UnixTime,
    ) -> Result<(Self, Files), OpenError> {
        let mut compiled = config.compile().map_err(|error| OpenError::of_config(reader.name().as_deref(), &error))?;
        let names = compiled.rules.issuer_names.iter().cloned();
        let folder = reader.folder();
        let keys = KeyFiles::open(names.zip(compiled.keys).collect(), &folder, keys_file)?;
        let mut secrets = SecretFiles::new(&folder);
        let nonces = secrets.nonces(&config, store)?;
        compiled.rules.identity_secret = secrets.identity_secret(compiled.identity_secret_file.as_deref())?;
        let secrets = secrets.read;
        let replay = match (&config.dpop.replay, store) {
            (ReplayConfig::None, _) => Replay::Unchecked,
            (_, ReplayStore::External) => Replay::External,
            (ReplayConfig::Memory, ReplayStore::Memory) => {
                // Also those of an earlier configuration, which may have accepted older proofs.
                kept.replay_cache.retain_for(compiled.rules.proofs.lifetime());
                Replay::Memory(Arc::clone(&kept.replay_cache))
            }
            (ReplayConfig::Redis(_), ReplayStore::Memory) => {
                return Err(OpenError::new(
                    "dpop.replay is the URL of a Redis server, which is not used here: set it to \"memory\", if no \
                     other process answers the same clients, or let the proxy keep used proofs",
                ));
            }
        };
        let has_tokens = compiled.rules.guards.iter().any(|guard| guard.access != Access::Public);
        let records_proofs = has_tokens && !matches!(replay, Replay::Unchecked);
        let gate = Gate::new(Arc::new(compiled.rules), keys.current(now), kept.cache.clone(), replay);
        Ok((Self { config, gate, nonces, records_proofs }, Files { keys, secrets }))
    }
}
