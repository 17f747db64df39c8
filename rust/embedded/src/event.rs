//! What happens while a gate is open, and how it is.

use std::fmt;

/// Called for each event, in the thread that reads the files.
pub type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// What happened to a configuration, or to keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new configuration is in use.
    ConfigLoaded,
    /// A new configuration is refused, for this reason; the old one stays in use.
    ConfigRefused(String),
    /// New keys of this issuer are in use: how many.
    KeysLoaded(String, usize),
    /// A file with keys is refused, for this reason; the keys from before stay in use.
    KeysRefused(String),
    /// There are no keys of this issuer that may still be used.
    KeysUnavailable(String),
}

/// How an open gate is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// How many configurations were loaded, the first among them.
    pub configs_loaded: u64,
    /// How many configurations and files with keys were refused.
    pub refused: u64,
    /// Why the last of them was.
    pub last_refusal: Option<String>,
    /// The issuers: their names, and how many keys each has (`None`: they are unavailable).
    pub issuers: Vec<(String, Option<usize>)>,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigLoaded => f.write_str("a new configuration is in use"),
            Self::ConfigRefused(reason) => {
                write!(f, "a new configuration is refused, the old one stays in use: {reason}")
            }
            Self::KeysLoaded(issuer, count) => write!(f, "{count} keys of {issuer:?} are in use"),
            Self::KeysRefused(reason) => write!(f, "a file with keys is refused, the old keys stay in use: {reason}"),
            Self::KeysUnavailable(issuer) => write!(f, "there are no keys of {issuer:?} that may be used"),
        }
    }
}
