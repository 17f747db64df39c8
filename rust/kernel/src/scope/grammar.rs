//! Grammars of scopes: what a grammar defines, and the grammars by name.

use std::fmt;

use super::{PlainScopes, ResourceScopes, SlotScopes};

/// A grammar of scopes, and an index of a set of scopes. A request is looked up in the index; no scope is searched for.
pub trait Grammar: Default {
    /// One action that a request needs. No part of it is a wildcard.
    type Request<'r>: Copy + fmt::Display;

    /// Checks that the text is one scope.
    ///
    /// # Errors
    /// One sentence that says what a scope must be.
    fn check(scope: &str) -> Result<(), &'static str>;

    /// Adds a scope, which must have been checked, to the index.
    fn insert(&mut self, scope: &str);

    /// Whether a scope of the index allows the request.
    fn allows(&self, request: Self::Request<'_>) -> bool;

    /// The heap memory of the index, in bytes.
    fn heap(&self) -> usize;

    /// Whether one scope of the index allows every request that this scope allows. If `strictly`, a scope other than
    /// this one.
    ///
    /// In each grammar, a scope that several scopes cover together is covered by one of them alone: names are unlimited,
    /// so no finite number of them equals a wildcard. Therefore each set has exactly one shortest list.
    fn covers(&self, scope: &str, strictly: bool) -> bool;

    /// The scopes for the requests that one of `these` and one of `those` both allow, if neither covers the other.
    fn overlaps<'s>(these: &'s [String], those: &'s [String]) -> impl Iterator<Item = String> + 's {
        let _ = (these, those);
        std::iter::empty()
    }
}

/// The grammars, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScopeGrammar {
    /// `plain`: [`PlainScopes`].
    Plain,
    /// `resource`: [`ResourceScopes`].
    Resource,
    /// `slot`: [`SlotScopes`].
    Slot,
}

impl ScopeGrammar {
    /// All grammars.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Resource, Self::Slot];

    /// The grammar with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grammar| grammar.name() == name)
    }

    /// The name of the grammar.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Resource => "resource",
            Self::Slot => "slot",
        }
    }

    /// Whether the granted scopes cover the required ones, both as a claim lists them. A required text that is not a scope
    /// of the grammar is not covered.
    pub fn covers(self, granted: &[String], required: &[String]) -> bool {
        match self {
            Self::Plain => PlainScopes::from_claim(granted).covers(&PlainScopes::from_claim(required)),
            Self::Resource => ResourceScopes::from_claim(granted).covers(&ResourceScopes::from_claim(required)),
            Self::Slot => SlotScopes::from_claim(granted).covers(&SlotScopes::from_claim(required)),
        }
    }
}
