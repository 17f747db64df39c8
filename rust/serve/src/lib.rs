//! # Watchword's gate as a server
//!
//! What a proxy asks before it lets a request pass: nginx's `auth_request`, Caddy's `forward_auth`, Envoy's `ext_authz`,
//! Traefik's `ForwardAuth`, and HAProxy by its Lua client, over HTTP/1.1. The [`Gate`](watchword_gate::Gate) decides; this
//! crate reads how one proxy ([`Family`]) tells the request of its client, and writes the decision so that the proxy
//! understands it.
//!
//! - Everything that a peer can use is limited: connections, the size and the number of headers, the time for a request, for
//!   an answer, and between requests. If there are too many connections, those that have waited longest are closed.
//! - Keys come from outside. A request that needs newer ones waits while the host looks them up ([`Server::next_lookup`]).
//! - Used proofs are kept in this process, or in Redis or Valkey; if that is unavailable, no proof is accepted.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod accepting;
mod answer;
mod check;
mod clock;
mod connection;
mod connections;
mod family;
mod files;
mod identity;
mod listener;
mod lookups;
mod pages;
mod phase;
mod records;
mod server;
mod settings;
mod shared_replay;
mod stats;
mod stream;
mod unwinding;
mod verdicts;

pub use check::Metadata;
pub use family::Family;
pub use lookups::Lookup;
pub use pages::{Page, Render};
pub use records::Record;
pub use server::{Configured, ReplayStore, Server};
pub use settings::Settings;
pub use shared_replay::check_replay_url;
pub use stats::{ConnectionStats, Stats};
pub use verdicts::{BOUNDS, Durations, VerdictCount};
