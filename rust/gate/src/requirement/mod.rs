//! What a route requires of a token that is valid: a bound token, scopes, user authentication, a chain of delegation.

mod authentication;
mod delegation;
mod scopes;

pub use authentication::AuthenticationRequirement;
pub use delegation::DelegationRequirement;
pub use scopes::ScopeRequirement;

use watchword_kernel::{UnixTime, VerifiedToken};

use crate::failure::Failure;
use crate::template::Variables;

/// What a route requires, compiled once. By default nothing but a valid token.
#[derive(Debug, Clone, Default)]
pub struct Requirement {
    /// Whether the token must be bound to a key and be sent with a proof (RFC 9449).
    pub dpop: bool,
    /// The scopes.
    pub scopes: ScopeRequirement,
    /// How, and how long ago, the user authenticated (RFC 9470).
    pub authentication: AuthenticationRequirement,
    /// Who acts on whose behalf (RFC 8693).
    pub delegation: DelegationRequirement,
}

impl Requirement {
    /// Checks a verified token, in the order: proof, scopes, user authentication, delegation.
    ///
    /// # Errors
    /// The first requirement that is not met.
    pub fn check(
        &self,
        token: &VerifiedToken,
        has_proof: bool,
        variables: &Variables,
        now: UnixTime,
    ) -> Result<(), Failure> {
        if self.dpop && !has_proof {
            return Err(Failure::new("dpop_bound_token_required"));
        }
        self.scopes.check(token, variables)?;
        self.authentication.check(token, now)?;
        self.delegation.check(token, self.scopes.grammar())
    }
}
