//! What a caller requirements of a chain.

use super::{Actor, DelegationChain, DelegationError};
use crate::scope::SlotScopes;

/// What is demanded of a chain. If nothing is said: that each actor is known and that no scopes were widened.
#[derive(Clone, Copy)]
pub struct Requirements<'a> {
    /// How many actors there may be.
    pub max_depth: Option<usize>,
    /// Whether a name may stand in the chain more than once.
    pub allow_cycles: bool,
    /// Whether an actor without a subject may stand in the chain; never if there is a list of [`Self::allowed_actors`].
    pub allow_unknown_actors: bool,
    /// What tells whether the chain begins with a human being, where it must; [`DelegationChain::human_root`] does.
    pub human_root: Option<&'a dyn Fn(&DelegationChain) -> bool>,
    /// Who may act. Where there is a list, each actor must be on it, and an empty one allows nobody.
    pub allowed_actors: Option<&'a [ActorName]>,
}

/// The name of somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorName {
    /// Whose name it is; `None` stands for the issuer of the token.
    pub issuer: Option<String>,
    /// The name.
    pub subject: String,
}

impl Default for Requirements<'_> {
    fn default() -> Self {
        Self {
            max_depth: None,
            allow_cycles: true,
            allow_unknown_actors: false,
            human_root: None,
            allowed_actors: None,
        }
    }
}

impl DelegationChain {
    /// Judges the chain, in the order: length, circles, where it begins, who acts, scopes.
    ///
    /// # Errors
    /// The first demand that is not met.
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
        self.check_scopes()
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

    /// From the subject to the nearest actor, each holds no more than the one before, as far as scopes are recorded.
    fn check_scopes(&self) -> Result<(), DelegationError> {
        let mut held = self.scopes();
        for (index, actor) in self.actors.iter().enumerate().rev() {
            let asked = actor.scopes.as_deref();
            if let (Some(held), Some(asked)) = (held, asked)
                && !SlotScopes::from_claim(held).covers(&SlotScopes::from_claim(asked))
            {
                return Err(DelegationError::ScopeWidened { position: index + 1, depth: self.depth() });
            }
            held = asked;
        }
        Ok(())
    }
}
