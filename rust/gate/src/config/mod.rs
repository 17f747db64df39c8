//! What a gate is configured with: one file, TOML or JSON, of which every error is reported with its place.
//!
//! ```
//! use watchword_gate::config::GateConfig;
//!
//! let config = GateConfig::from_toml(
//!     r#"
//!     public_url = "https://api.example"
//!
//!     [token]
//!     audience = "https://api.example"
//!
//!     [[issuers]]
//!     issuer = "https://as.example"
//!
//!     [[routes]]
//!     path = "/orders/{id}"
//!     methods = ["GET"]
//!     scopes = ["orders:read"]
//!     "#,
//! )?;
//! assert_eq!(config.routes[0].scopes, ["orders:read"]);
//! assert!(config.warnings.is_empty());
//!
//! let error = GateConfig::from_toml("public_url = 'https://api.example'\nissuers = [{issuer = 'a', alias = 'b'}]").unwrap_err();
//! assert_eq!(error.to_string(), "2:27: issuers[0].alias: unknown key; did you mean \"aliases\"?");
//! # Ok::<(), watchword_gate::config::ConfigError>(())
//! ```

mod compile;
mod document;
mod gate_config;
mod issuer;
mod lint;
mod problem;
mod requirement;
mod route;
mod route_requirements;
mod schema;
mod scope;
mod section;
mod server;
mod settings;
mod suggestion;
mod token;

pub use compile::{Compiled, KeyLocation};
pub use gate_config::{ConfigError, GateConfig};
pub use issuer::{CacheSetting, IssuerConfig};
pub use problem::{Position, Problem};
pub use requirement::RouteError;
pub use route::RouteConfig;
pub use schema::{json_schema, keys};
pub use scope::check_scope;
pub use section::{Key, Kind};
pub use server::{HEADER_BYTES, ListenAddress, MAX_SOCKET_MODE, PROXIES, ServerConfig};
pub use settings::{DpopConfig, LogConfig, ProxyConfig, Replay};
pub use token::TokenConfig;
