//! What a caller requires of a chain.

use super::{Actor, ActorName, DelegationChain, DelegationError};
use crate::scope::ScopeGrammar;

/// What is required of a chain. By default, every actor must be known, and no actor may have a scope that was not
/// delegated to it.
#[derive(Clone, Copy)]
pub struct Requirements<'a> {
    /// The maximum number of actors.
    pub max_depth: Option<usize>,
    /// Whether a name may occur in the chain more than once.
    pub allow_cycles: bool,
    /// Whether the chain may have an actor without a subject; it may not if there is a list of
    /// [`Self::allowed_actors`].
    pub allow_unknown_actors: bool,
    /// Tells whether the subject is a human being, if it must be one, for example by
    /// [`DelegationChain::has_human_root`].
    pub human_root: Option<&'a dyn Fn(&DelegationChain) -> bool>,
    /// The allowed actors. If there is a list, each actor must be on it: an empty list allows no actor.
    pub allowed_actors: Option<&'a [ActorName]>,
    /// The grammar of the scopes that the chain records.
    pub scope_grammar: ScopeGrammar,
}

impl Default for Requirements<'_> {
    fn default() -> Self {
        Self {
            max_depth: None,
            allow_cycles: true,
            allow_unknown_actors: false,
            human_root: None,
            allowed_actors: None,
            scope_grammar: ScopeGrammar::Slot,
        }
    }
}

impl DelegationChain {
    /// Checks the chain, in the order: length, cycles, human root, actors, scopes.
    ///
    /// # Errors
    /// The first requirement that is not met.
    pub fn check(&self, requirements: &Requirements<'_>) -> Result<(), DelegationError> {
        if let Some(limit) = requirements.max_depth.filter(|limit| self.depth() > *limit) {
            return Err(DelegationError::TooDeep { limit });
        }
        if !requirements.allow_cycles && !self.repeated().is_empty() {
            return Err(DelegationError::Cycle);
        }
        if requirements.human_root.is_some_and(|is_human| !is_human(self)) {
            return Err(DelegationError::NoHumanRoot);
        }
        if requirements.allowed_actors.is_some() || !requirements.allow_unknown_actors {
            self.check_known()?;
        }
        if let Some(allowed) = requirements.allowed_actors {
            self.check_actors(allowed)?;
        }
        self.check_scopes(requirements.scope_grammar)
    }

    fn check_known(&self) -> Result<(), DelegationError> {
        match self.actors.iter().position(|actor| actor.subject.is_none()) {
            None => Ok(()),
            Some(index) => Err(DelegationError::UnknownActor { position: index + 1, depth: self.depth() }),
        }
    }

    fn check_actors(&self, allowed: &[ActorName]) -> Result<(), DelegationError> {
        let is_allowed = |actor: &Actor| allowed.iter().any(|name| self.is_named(actor, name));
        match self.actors.iter().position(|actor| !is_allowed(actor)) {
            None => Ok(()),
            Some(index) => Err(DelegationError::ActorNotAllowed { position: index + 1, depth: self.depth() }),
        }
    }

    fn is_named(&self, actor: &Actor, name: &ActorName) -> bool {
        actor.subject.as_ref() == Some(&name.subject)
            && name.issuer.as_deref().or(self.issuer()) == actor.issuer.as_deref()
    }

    /// Checks, from the subject to the current actor, that each has no scope that the party before it did not have, as far
    /// as scopes are recorded.
    fn check_scopes(&self, grammar: ScopeGrammar) -> Result<(), DelegationError> {
        let mut delegated = self.scopes();
        for (index, actor) in self.actors.iter().enumerate().rev() {
            let scopes = actor.scopes.as_deref();
            if let (Some(delegated), Some(scopes)) = (delegated, scopes)
                && !grammar.covers(delegated, scopes)
            {
                return Err(DelegationError::ScopeWidened { position: index + 1, depth: self.depth() });
            }
            delegated = scopes;
        }
        Ok(())
    }
}
