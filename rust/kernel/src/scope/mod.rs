//! Scopes: what a token allows its bearer to do. One matcher for all grammars, one file for each grammar.
//!
//! A set of scopes represents the requests that it allows and nothing else: two sets are equal if they allow the same
//! requests, and a scope that another scope of the set covers is dropped.
//!
//! ```
//! use watchword_kernel::scope::{ResourceRequest, ResourceScopes};
//!
//! let granted = ResourceScopes::new(["users:**", "users:read", "owner"])?;
//! assert_eq!(granted.to_string(), "owner users:**");
//! assert!(granted.allows(ResourceRequest { action: "read", resource: "users.keys" }));
//! assert!(granted.covers(&ResourceScopes::new(["users.keys:*"])?));
//! # Ok::<(), watchword_kernel::scope::ScopeError>(())
//! ```

mod error;
mod explain;
mod grammar;
mod plain;
mod resource;
mod slot;

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};

pub use error::{InsufficientScope, ScopeError};
pub use explain::Explanation;
pub use grammar::{Grammar, ScopeGrammar};
pub use plain::Plain;
pub use resource::{Resource, ResourceRequest};
pub use slot::{Slot, SlotRequest};

use crate::heap::{hash_table, vector};

/// Scopes of the form `resource(.sub)*:action`.
pub type ResourceScopes = Scopes<Resource>;
/// Scopes of the form `action:resource:identifier`.
pub type SlotScopes = Scopes<Slot>;
/// OAuth 2 scope tokens (RFC 6749 section 3.3), compared exactly.
pub type PlainScopes = Scopes<Plain>;

/// The maximum length, in bytes, of the scopes of an intersection that are in neither of the two sets: four times the
/// largest token. They are products of two lists, the only result here that could be larger than its input.
pub const MAX_OVERLAP: usize = 64 * 1024;

/// An immutable, compiled set of scopes.
#[derive(Clone, Debug)]
pub struct Scopes<G> {
    /// The shortest list with the same meaning, sorted.
    scopes: Vec<String>,
    index: G,
    ignored: Vec<String>,
}

/// The scopes of a text in which they are separated by spaces (RFC 6749 section 3.3), and by nothing else.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|scope| !scope.is_empty())
}

impl<G: Grammar> Scopes<G> {
    /// The set of these scopes.
    ///
    /// # Errors
    /// [`ScopeError::Syntax`] for the first text that is not a scope of the grammar.
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ScopeError> {
        let mut found = Vec::new();
        for scope in scopes {
            let scope = scope.as_ref();
            check::<G>(scope).map_err(|must| ScopeError::Syntax { scope: scope.to_owned(), must })?;
            found.push(scope.to_owned());
        }
        Ok(Self::of(found, Vec::new()))
    }

    /// The set of granted scopes. A text that is not a scope of the grammar grants nothing and is listed in
    /// [`ignored`](Self::ignored). Build sets of required scopes with [`new`](Self::new).
    pub fn from_claim<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let texts = scopes.into_iter().map(|scope| scope.as_ref().to_owned());
        let (found, ignored) = texts.partition(|scope| check::<G>(scope).is_ok());
        Self::of(found, ignored)
    }

    fn of(mut scopes: Vec<String>, mut ignored: Vec<String>) -> Self {
        for list in [&mut scopes, &mut ignored] {
            list.sort_unstable();
            list.dedup();
        }
        let mut index = G::default();
        for scope in &scopes {
            index.insert(scope);
        }
        scopes.retain(|scope| !index.covers(scope, true));
        Self { scopes, index, ignored }
    }

    /// The shortest list with the same meaning, sorted.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The texts that were ignored because they are not scopes of the grammar, sorted.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The heap memory of the set, in bytes.
    pub(crate) fn heap(&self) -> usize {
        let texts = self.scopes.iter().chain(&self.ignored).map(|text| vector::<u8>(text.capacity()));
        let lists = vector::<String>(self.scopes.capacity()) + vector::<String>(self.ignored.capacity());
        texts.sum::<usize>() + lists + self.index.heap()
    }

    /// Whether a scope of the set allows the request.
    pub fn allows(&self, request: G::Request<'_>) -> bool {
        self.index.allows(request)
    }

    /// Whether the set covers this one scope. It never covers a text that is not a scope.
    pub fn contains(&self, scope: &str) -> bool {
        check::<G>(scope).is_ok() && self.index.covers(scope, false)
    }

    /// Whether this set allows every request that the other set allows. No set covers one with
    /// [`ignored`](Self::ignored) texts, because it is unknown what these require.
    pub fn covers(&self, other: &Self) -> bool {
        self.missing(other).next().is_none()
    }

    /// The scopes of the other set that this set does not cover.
    pub fn missing<'o>(&'o self, other: &'o Self) -> impl Iterator<Item = &'o str> {
        let uncovered = other.scopes.iter().filter(|scope| !self.index.covers(scope, false));
        uncovered.chain(&other.ignored).map(String::as_str)
    }

    /// The intersection: the set of the requests that both sets allow, the largest set that both cover.
    ///
    /// # Errors
    /// [`ScopeError::TooLarge`] if it would be longer than [`MAX_OVERLAP`] bytes.
    pub fn narrow(&self, other: &Self) -> Result<Self, ScopeError> {
        let ours = self.scopes.iter().filter(|scope| other.index.covers(scope, false));
        let theirs = other.scopes.iter().filter(|scope| self.index.covers(scope, false));
        let mut found: Vec<String> = ours.chain(theirs).cloned().collect();
        let mut room = MAX_OVERLAP;
        let overlaps = G::overlaps(&self.scopes, &other.scopes).chain(G::overlaps(&other.scopes, &self.scopes));
        for scope in overlaps {
            room = room.checked_sub(scope.len().saturating_add(1)).ok_or(ScopeError::TooLarge)?;
            found.push(scope);
        }
        Ok(Self::of(found, Vec::new()))
    }

    /// Requires that the set allows the request.
    ///
    /// # Errors
    /// [`InsufficientScope`] if it does not.
    pub fn require(&self, request: G::Request<'_>) -> Result<(), InsufficientScope> {
        if self.allows(request) { Ok(()) } else { Err(InsufficientScope::new(request.to_string())) }
    }

    /// Requires that this set covers the other one: the scopes that an operation needs, or that are to be delegated.
    ///
    /// # Errors
    /// [`InsufficientScope`] with the scopes that are not covered.
    pub fn require_all(&self, other: &Self) -> Result<(), InsufficientScope> {
        let missing: Vec<&str> = self.missing(other).collect();
        if missing.is_empty() { Ok(()) } else { Err(InsufficientScope::new(missing.join(" "))) }
    }
}

/// The heap memory of a set of strings, in bytes.
fn heap_of(set: &HashSet<Box<str>>) -> usize {
    hash_table::<Box<str>>(set.capacity()) + set.iter().map(|text| vector::<u8>(text.len())).sum::<usize>()
}

/// Checks what all grammars have in common. The next reader of the list would take a scope with white space for two
/// scopes. Control characters have no legitimate use. A replacement character marks lost text, so that two different
/// scopes could look the same.
fn check<G: Grammar>(scope: &str) -> Result<(), &'static str> {
    if scope.is_empty() {
        return Err("a scope must not be empty");
    }
    if scope.chars().any(|ch| ch.is_whitespace() || ch.is_control() || ch == char::REPLACEMENT_CHARACTER) {
        return Err("a scope must not contain white space, control characters or replacement characters");
    }
    G::check(scope)
}

impl<G> PartialEq for Scopes<G> {
    fn eq(&self, other: &Self) -> bool {
        self.scopes == other.scopes && self.ignored == other.ignored
    }
}

impl<G> Eq for Scopes<G> {}

impl<G> Hash for Scopes<G> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scopes.hash(state);
        self.ignored.hash(state);
    }
}

impl<G> fmt::Display for Scopes<G> {
    /// Writes the scopes separated by spaces: the value of a `scope` parameter (RFC 6749 section 3.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.scopes.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(scope)?;
        }
        Ok(())
    }
}
