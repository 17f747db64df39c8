//! The server, over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod client;
mod connections;
mod families;
mod fixture;
mod hostile_http;
mod keys;
mod pages;
mod shared_replay;
mod slow_peers;
mod stopping;
