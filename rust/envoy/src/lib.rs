//! # Watchword inside Envoy
//!
//! A dynamic module (`libwatchword_envoy.so`) with one HTTP filter: the gate of `watchword-embedded`, asked for every
//! request. A request that is rejected is answered by the filter; of one that is allowed, the client's own identity headers
//! are removed, those of the gate are set, and the claims are written into the dynamic metadata.
//!
//! The module is made for the ABI of Envoy 1.40, which `abi` declares: the only folder with unsafe code.

// Unit tests are of the parts that need no Envoy.
#![cfg_attr(test, allow(dead_code, reason = "what only `abi` calls"))]

// Unit tests run without an Envoy, whose callbacks `abi` needs to be linked.
#[cfg(not(test))]
#[allow(unsafe_code, reason = "the boundary to Envoy; every block has its reason")]
mod abi;
mod filter;
mod grpc;
mod metadata;
mod route_config;
mod settings;
mod stats;
mod stream;
