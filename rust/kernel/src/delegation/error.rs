//! Why a chain is rejected: a closed set of errors.

use std::fmt;

use crate::error::Malformed;

/// Why a delegation chain was rejected. Each variant has a stable [`code`](DelegationError::code); its `Display` is one
/// sentence that contains no name of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DelegationError {
    /// The claims that record the chain are malformed.
    Malformed(Malformed),
    /// `chain_hash` is not the hash of the records.
    HashMismatch,
    /// A record has no valid signature.
    InvalidSignature(&'static str),
    /// There are more actors than allowed, or the claims are nested deeper than that many actors need.
    TooDeep {
        /// The maximum number of actors.
        limit: usize,
    },
    /// A name occurs in the chain more than once.
    Cycle,
    /// The subject is not a human being.
    NoHumanRoot,
    /// An actor is not one of the allowed actors.
    ActorNotAllowed {
        /// Its position in the chain; the current actor's is 1.
        position: usize,
        /// The number of actors.
        depth: usize,
    },
    /// An actor has no subject: the token identifies it by a claim that is not supported.
    UnknownActor {
        /// Its position in the chain; the current actor's is 1.
        position: usize,
        /// The number of actors.
        depth: usize,
    },
    /// An actor has a scope that the party which delegated to it did not have.
    ScopeWidened {
        /// Its position in the chain; the current actor's is 1.
        position: usize,
        /// The number of actors.
        depth: usize,
    },
}

impl DelegationError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "delegation_malformed",
            Self::HashMismatch => "delegation_hash_mismatch",
            Self::InvalidSignature(_) => "delegation_invalid_signature",
            Self::TooDeep { .. } => "delegation_too_deep",
            Self::Cycle => "delegation_cycle",
            Self::NoHumanRoot => "delegation_no_human_root",
            Self::ActorNotAllowed { .. } | Self::UnknownActor { .. } => "delegation_actor_not_allowed",
            Self::ScopeWidened { .. } => "delegation_scope_widened",
        }
    }
}

impl fmt::Display for DelegationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "the delegation is malformed: {what}"),
            Self::HashMismatch => f.write_str("\"chain_hash\" is not the hash of \"delegation_chain\""),
            Self::InvalidSignature(what) => f.write_str(what),
            Self::TooDeep { limit } => {
                write!(f, "the chain has more than {limit} actors, or the claims are nested too deeply")
            }
            Self::Cycle => f.write_str("a name occurs in the chain more than once"),
            Self::NoHumanRoot => f.write_str("the chain does not begin with a human being"),
            Self::ActorNotAllowed { position, depth } => {
                write!(f, "{} is not allowed", Place(*position, *depth))
            }
            Self::UnknownActor { position, depth } => {
                write!(f, "{} has no \"sub\", so it cannot be identified", Place(*position, *depth))
            }
            Self::ScopeWidened { position, depth } => {
                write!(f, "{} has a scope that was not delegated to it", Place(*position, *depth))
            }
        }
    }
}

/// The position of an actor, and the number of actors.
struct Place(usize, usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(position, depth) = self;
        write!(f, "actor {position} of {depth} (1 is the current actor)")
    }
}

impl std::error::Error for DelegationError {}

impl From<Malformed> for DelegationError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
