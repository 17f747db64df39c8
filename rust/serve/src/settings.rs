//! What an operator can set.

use std::num::NonZeroUsize;
use std::time::Duration;

use watchword_gate::config::{ListenAddress, ServerConfig};

use crate::family::Family;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where proxies ask.
    pub listen: Vec<ListenAddress>,
    /// Where the status pages are.
    pub status_listen: Vec<ListenAddress>,
    /// Whose headers are read.
    pub family: Family,
    /// What stands before the client's path in the target of a request ([`Family::Envoy`]): empty, or a path without a
    /// slash at its end.
    pub path_prefix: String,
    /// The permissions of Unix sockets.
    pub socket_mode: u32,
    /// The number of threads that answer requests.
    pub threads: NonZeroUsize,
    /// The maximum number of open connections.
    pub max_connections: NonZeroUsize,
    /// How long a connection may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a connection may wait between two requests: longer than the proxy keeps it, so that the proxy closes it.
    pub idle_timeout: Duration,
    /// How long a connection may take to receive an answer.
    pub write_timeout: Duration,
    /// The maximum size of the head of a request.
    pub max_header_bytes: usize,
    /// How long a request waits for keys.
    pub lookup_timeout: Duration,
    /// How long a request waits for the shared replay store.
    pub replay_timeout: Duration,
    /// Whether rejections are recorded.
    pub record_rejected: bool,
    /// Whether allowed requests are recorded.
    pub record_allowed: bool,
}

/// The maximum number of connections to the status pages.
pub(crate) const MAX_STATUS_CONNECTIONS: usize = 64;

/// The maximum number of status pages that are rendered at once.
pub(crate) const MAX_PAGES: usize = 4;

impl Default for Settings {
    /// Those of a configuration without them, and no address.
    fn default() -> Self {
        let config = ServerConfig::default();
        let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            listen: Vec::new(),
            status_listen: Vec::new(),
            family: Family::Nginx,
            path_prefix: String::new(),
            socket_mode: config.socket_mode,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_connections: NonZeroUsize::new(whole(config.max_connections)).unwrap_or(NonZeroUsize::MIN),
            header_timeout: Duration::from_secs_f64(config.header_timeout),
            idle_timeout: Duration::from_secs_f64(config.idle_timeout),
            write_timeout: Duration::from_secs_f64(config.write_timeout),
            max_header_bytes: whole(config.max_header_bytes),
            lookup_timeout: Duration::from_secs_f64(config.lookup_timeout),
            replay_timeout: Duration::from_secs_f64(config.replay_timeout),
            record_rejected: true,
            record_allowed: false,
        }
    }
}
