//! The closed set of reasons for which a chain is refused.

use std::fmt;

use crate::error::Malformed;

/// Why a chain of delegation was refused. Each variant has a stable [`code`](DelegationError::code); its `Display` is
/// one sentence for a person, which holds no name out of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DelegationError {
    /// The claims, or the form in which they record the chain, are not what they must be.
    Malformed(Malformed),
    /// `chain_hash` is not the hash of the records.
    HashMismatch,
    /// A record does not bear a signature that holds.
    InvalidSignature(&'static str),
    /// More actors than are allowed, or claims nested deeper than so many actors can be.
    TooDeep {
        /// How many are allowed.
        limit: usize,
    },
    /// A name stands in the chain more than once.
    Cycle,
    /// The subject is not a human being.
    NoHumanRoot,
    /// An actor is not among those that are allowed.
    ActorNotAllowed {
        /// Its place in the chain, the nearest being 1.
        position: usize,
        /// How many there are.
        depth: usize,
    },
    /// An actor has no subject: the token names it in a way that is not understood here.
    UnknownActor {
        /// Its place in the chain, the nearest being 1.
        position: usize,
        /// How many there are.
        depth: usize,
    },
    /// An actor holds a scope that the one before it did not hold.
    ScopeWidened {
        /// Its place in the chain, the nearest being 1.
        position: usize,
        /// How many there are.
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
                write!(f, "the chain has more than {limit} actors, or the claims are nested too deeply for it")
            }
            Self::Cycle => f.write_str("a name stands in the chain more than once"),
            Self::NoHumanRoot => f.write_str("the chain does not begin with a human being"),
            Self::ActorNotAllowed { position, depth } => {
                write!(f, "actor {position} of {depth} (the nearest is 1) is not one that is allowed")
            }
            Self::UnknownActor { position, depth } => {
                write!(
                    f,
                    "actor {position} of {depth} (the nearest is 1) has no \"sub\", so that nobody can tell who it is"
                )
            }
            Self::ScopeWidened { position, depth } => {
                write!(f, "actor {position} of {depth} (the nearest is 1) holds a scope that was not held before it")
            }
        }
    }
}

impl std::error::Error for DelegationError {}

impl From<Malformed> for DelegationError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
