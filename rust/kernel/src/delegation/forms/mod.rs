//! Forms of delegation that are not RFC 8693's: private claims of single issuers, registered by the claim's name.
//!
//! A new form is a file here and a line in [`REGISTERED`].

mod actor_chain;
mod records;

use super::chain::Scopes;
use super::{DelegationChain, DelegationError};
use crate::json::Object;

/// A form in which the claims of a token record a chain.
pub(super) struct Form {
    /// The claim that identifies the form.
    pub(super) claim: &'static str,
    /// Reads the chain of a token that has the claim.
    pub(super) read: fn(&Object<'_>, Scopes<'_>) -> Result<DelegationChain, DelegationError>,
}

/// The forms beside nested acts.
pub(super) const REGISTERED: [Form; 2] = [records::FORM, actor_chain::FORM];
