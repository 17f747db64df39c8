//! Delegation: the chain of actors that a token records, as one type for all forms.
//!
//! A chain begins with a *subject*, on whose behalf everything happens, and has an *actor* for each time that authority
//! was delegated. The current actor, who presents the token, is the first; the last is the one to whom the subject
//! delegated its authority. A token without delegation is a chain without actors.
//!
//! | form | claims | the subject is | the actors are |
//! |---|---|---|---|
//! | nested acts (RFC 8693 section 4.1) | `act`: an object with `sub` (or another name), an optional `iss` and an optional nested `act` | `sub` | the `sub` of each level, outermost first |
//! | recorded chain | `delegation_chain`: records of who delegated, oldest first; `chain_hash` | the first record's `agent` | `sub`, then the other records' agents, newest first |
//! | actor chain | `actor_chain`: an object with `principal_id` and `agent` | `principal_id` | the `agent` |
//!
//! The standard form is nested acts. `act` and `may_act` are registered claims, so [`verify`](crate::verify) rejects a
//! token in which they are malformed. The other forms are those of single issuers, registered by the name of their claim
//! (`forms`): these names are private (RFC 7519 section 4.3) and may mean anything in another issuer's tokens, so they are
//! only read when the chain is requested.
//!
//! ```
//! use watchword_kernel::delegation::{ActorName, DelegationChain, MAX_ACTORS, Requirements};
//!
//! // In practice `token.delegation()?` of a verified token.
//! let claims = br#"{"sub": "user:ada", "act": {"sub": "client:mailer", "act": {"sub": "client:planner"}}}"#;
//! let chain = DelegationChain::from_claims(&DelegationChain::read_claims(claims, MAX_ACTORS)?)?;
//! assert_eq!(chain.actors()[0].subject.as_deref(), Some("client:mailer"));
//!
//! let mailer = ActorName { issuer: None, subject: "client:mailer".into() };
//! let requirements = Requirements { allowed_actors: Some(&[mailer]), ..Requirements::default() };
//! let rejected = chain.check(&requirements).unwrap_err();
//! assert_eq!(rejected.to_string(), "actor 2 of 2 (1 is the current actor) is not allowed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here is recursive. The JSON scanner bounds the nesting, and the reader the number of actors ([`MAX_ACTORS`] by
//! default); the work is linear in the length of the claims.

mod act;
mod actor;
mod chain;
mod check;
mod error;
mod forms;
mod may_act;

use crate::error::Malformed;
use crate::json::{DEEPEST, MAX_DEPTH, Object, Value};
use crate::jws::member;

pub use actor::{Actor, ActorName};
pub use chain::{DelegationChain, HUMAN_PREFIXES};
pub use check::Requirements;
pub use error::DelegationError;
pub use may_act::MayAct;

/// The maximum number of actors by default.
pub const MAX_ACTORS: usize = 32;

/// The highest maximum number of actors that a caller can set.
pub const MOST_ACTORS: usize = DEEPEST - MAX_DEPTH;

/// Checks the registered claims `act` and `may_act`, as [`verify`](crate::verify) requires them to be.
pub(crate) fn check_claims(claims: &Object<'_>) -> Result<(), Malformed> {
    let rejection = |error| match error {
        DelegationError::Malformed(what) => what,
        // Strict JSON is not deeper than this, so a token has fewer levels.
        _ => Malformed::Member { name: act::CLAIM, must_be: "nested no deeper than 32 levels" },
    };
    if claims.contains(act::CLAIM) {
        act::read(claims, None, MAX_ACTORS).map_err(rejection)?;
    }
    MayAct::read(claims).map(drop).map_err(rejection)
}

/// The string under `name` if it is a non-empty string.
fn name_in<'a>(members: &'a Object<'_>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn must_be(name: &'static str, must_be: &'static str) -> DelegationError {
    DelegationError::Malformed(member::must_be(name, must_be))
}
