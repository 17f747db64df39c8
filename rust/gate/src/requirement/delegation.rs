//! What a route requires of the chain of delegation (RFC 8693 section 4.1).

use watchword_kernel::delegation::{ActorName, DelegationChain, HUMAN_PREFIXES, Requirements};
use watchword_kernel::scope::ScopeGrammar;
use watchword_kernel::{DelegationError, VerifiedToken};

use crate::failure::Failure;

/// Requirements for the chain. If there are none, the chain is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DelegationRequirement {
    /// The maximum number of actors.
    pub max_depth: Option<usize>,
    /// Whether the subject must be a human being.
    pub human_root: bool,
    /// The allowed actors, of the token's issuer. If there is a list, each actor must be on it.
    pub allowed_actors: Option<Vec<ActorName>>,
}

impl DelegationRequirement {
    pub(super) fn check(&self, token: &VerifiedToken, scope_grammar: ScopeGrammar) -> Result<(), Failure> {
        if self == &Self::default() {
            return Ok(());
        }
        let is_human = |chain: &DelegationChain| chain.has_human_root(&HUMAN_PREFIXES);
        let requirements = Requirements {
            max_depth: self.max_depth,
            human_root: self.human_root.then_some(&is_human),
            allowed_actors: self.allowed_actors.as_deref(),
            scope_grammar,
            ..Requirements::default()
        };
        token.delegation().and_then(|chain| chain.check(&requirements)).map_err(|error| failure(&error))
    }
}

fn failure(error: &DelegationError) -> Failure {
    Failure::with_detail(error.code(), error.to_string())
}
