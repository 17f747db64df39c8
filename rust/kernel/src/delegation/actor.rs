//! Actors and their names.

use std::fmt;

/// A party that acts on behalf of another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The actor's name. `None` if it is unknown: an `act` without `sub` identifies its actor by another member, such as
    /// `client_id`, about which RFC 8693 says nothing.
    pub subject: Option<String>,
    /// The issuer of the name: the `iss` or the `provider` beside it, else the `iss` of the token. The two together
    /// identify an actor (RFC 8693 section 4.1).
    pub issuer: Option<String>,
    /// The actor's scopes, if the chain records them.
    pub scopes: Option<Vec<String>>,
    /// When they were delegated to it, if the chain records that.
    pub delegated_at: Option<String>,
}

/// The name of a party that may act.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorName {
    /// The issuer of the name; `None` for the issuer of the token.
    pub issuer: Option<String>,
    /// The name.
    pub subject: String,
}

impl fmt::Debug for Actor {
    /// Writes nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}
