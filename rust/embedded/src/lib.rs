//! # Watchword's gate in a process without Python
//!
//! What a proxy needs beside [`watchword_gate`], which is a pure function: the configuration and the keys are read from
//! files and read again if they change, the time is the system's, and used proofs are kept in memory or in a store of the
//! proxy. Nothing is fetched: `watchword keys sync` fetches the keys of remote issuers, and writes the file that is read
//! here.
//!
//! A configuration or a key file that is invalid is refused, and what was read before stays in use. Keys whose time is over,
//! as their file states it, are not used any more; neither are any keys once the thread that reads the files has stopped, as
//! it does in the child of a fork.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod clock;
mod config_source;
mod embedded_gate;
mod event;
mod file;
mod identity;
mod key_files;
mod liveness;
mod loaded;
mod open_error;
mod options;
mod replay_cache;
mod requirements;
mod secret_files;
mod synced_keys;
mod watcher;

pub use config_source::{ConfigSource, Format};
pub use embedded_gate::{Checked, EmbeddedGate};
pub use event::{Event, Listener, Status};
pub use identity::IdentityFields;
pub use open_error::OpenError;
pub use options::{Options, ReplayStore};
pub use requirements::Requirements;
