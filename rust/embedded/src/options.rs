//! How a gate is opened, beside its configuration.

use std::path::PathBuf;
use std::time::Duration;

/// How a gate is opened, beside its configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file that `watchword keys sync` writes, with the keys of issuers that are fetched.
    pub keys_file: Option<PathBuf>,
    /// Where used proofs are kept.
    pub replay: ReplayStore,
    /// The group of gates of this process with one replay cache, which has the capacity of the first; without a group, a
    /// gate has its own.
    pub replay_group: Option<String>,
    /// How often files are examined.
    pub check_interval: Duration,
}

/// Where used proofs are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReplayStore {
    /// In the memory of this process: no other process knows what was used here.
    #[default]
    Memory,
    /// In a store of the caller, which all processes share.
    External,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keys_file: None,
            replay: ReplayStore::default(),
            replay_group: None,
            check_interval: Duration::from_secs(1),
        }
    }
}
