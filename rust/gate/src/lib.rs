//! # Watchword's gate
//!
//! From a request to a decision, as a pure function over Watchword's kernel: method, path and query, and the headers as they
//! were received, go in; out comes a [`Decision`], which allows the request, with the verified token, its proof and the
//! identity headers for the application, or rejects it, with status, `WWW-Authenticate` and a problem document. There is no
//! I/O, no clock, no server and no unsafe code.
//!
//! A request is checked in this order: the path, which must have one reading ([`path`]); a token in the query; the route,
//! of which the first that matches is taken, and none rejects; the credentials; the token, then the proof, by the kernel;
//! what the route requires ([`Requirement`]); and last, whether the proof was used before.
//!
//! - The origin that a proof must name comes from [`PublicOrigin`], which the operator sets, or from the one family of
//!   headers that one [`TrustedProxy`] sets; never from `Host` or from any other header.
//! - Headers below the prefix of the identity headers are the gate's alone. What a client sends under such a name, in any
//!   spelling that some server takes for it, must not reach the application: [`Decision::is_removed`].
//! - [`Rules`] are immutable. A [`Gate`] replaces them, and keys, as a whole, while other threads check requests.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
mod certificate;
mod challenge;
mod code;
pub mod config;
mod credentials;
mod decision;
mod failure;
mod fields;
mod gate;
mod identity;
mod identity_cache;
mod identity_headers;
mod metadata;
pub mod methods;
mod names;
mod nonces;
mod origin;
pub mod path;
mod problem;
mod proxy;
mod query;
mod read;
mod request;
mod requirement;
pub mod route_table;
mod rules;
mod secrets;
mod sent_token;
pub mod template;
mod trace;

pub use answer::{Answer, AnswerSettings};
pub use certificate::Certificate;
pub use challenge::{Challenge, is_quotable};
pub use code::{ANSWERS, CodeAnswer, Scheme, answer_of};
pub use credentials::{CredentialHeaders, Credentials, CredentialsError};
pub use decision::{Allowed, Decision, Outcome, Rejected};
pub use failure::Failure;
pub use gate::{Gate, Replay};
pub use identity::{DEFAULT_PREFIX, IDENTITY_NAMES, SECRET_NAME, TRACE_ID_NAME};
pub use identity_cache::IdentityCache;
pub use identity_headers::{EmptyHeaders, Identity, IdentityHeaders};
pub use metadata::{WELL_KNOWN, metadata_url};
pub use names::is_plain_name;
pub use nonces::{Nonces, NoncesError};
pub use origin::{OriginError, PublicOrigin};
pub use proxy::{CertificateFormat, OriginHeaders, TrustedProxy};
pub use read::Read;
pub use request::{Header, Request};
pub use requirement::{AuthenticationRequirement, DelegationRequirement, Requirement, ScopeRequirement};
pub use rules::{Access, Guard, Keys, Rules};
pub use secrets::{MIN_SECRET_BYTES, Secret, SecretsError, read_secrets};
pub use sent_token::{Compute, Here, Progress, SentToken, Terms, UnusedProof};
pub use trace::{TraceId, TraceIds};
