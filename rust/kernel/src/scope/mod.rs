//! Scopes: what a token lets its bearer do. One matcher for every grammar, one file for each grammar.
//!
//! A set of scopes stands for the requests that it allows, and nothing else: two sets are equal where they allow the
//! same, and scopes that others of the set make superfluous are dropped.
//!
//! ```
//! use watchword_kernel::scope::{ResourceRequest, ResourceScopes};
//!
//! let held = ResourceScopes::new(["users:**", "users:read", "owner"])?;
//! assert_eq!(held.to_string(), "owner users:**");
//! assert!(held.allows(ResourceRequest { action: "read", resource: "users.keys" }));
//! assert!(held.covers(&ResourceScopes::new(["users.keys:*"])?));
//! # Ok::<(), watchword_kernel::scope::ScopeError>(())
//! ```

mod explain;
mod plain;
mod resource;
mod slot;

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};

pub use explain::Explanation;
pub use plain::Plain;
pub use resource::{Resource, ResourceRequest};
pub use slot::{Slot, SlotRequest};

use crate::error::{Error, Quoted};
use crate::heap::{hash_table, vector};

/// Scopes of the form `resource(.sub)*:action`.
pub type ResourceScopes = Scopes<Resource>;
/// Scopes of the form `action:resource:identifier`.
pub type SlotScopes = Scopes<Slot>;
/// OAuth 2 scope tokens (RFC 6749 section 3.3), each by itself.
pub type PlainScopes = Scopes<Plain>;

/// How long the scopes may be, in bytes, that an intersection has and neither of the two sets had: four times the largest
/// token. They are the products of two lists, and so the only thing here that could outgrow its input.
pub const MAX_OVERLAP: usize = 64 * 1024;

/// A grammar of scopes, and an index over some of them in which a request is looked up rather than searched for.
pub trait Grammar: Default {
    /// What is asked for: one thing that a request wants to do. Nothing in it is a wildcard.
    type Request<'r>: Copy + fmt::Display;

    /// Whether the text is one scope. The error says what a scope must be.
    ///
    /// # Errors
    /// One sentence, where it is not.
    fn check(scope: &str) -> Result<(), &'static str>;

    /// Takes a scope, which has been checked, into the index.
    fn insert(&mut self, scope: &str);

    /// Whether the request is allowed.
    fn allows(&self, request: Self::Request<'_>) -> bool;

    /// The bytes that the index takes beside itself.
    fn heap(&self) -> usize;

    /// Whether one of the scopes, `strictly`: one other than this, allows whatever this scope allows.
    ///
    /// In each grammar, what several scopes cover together, one of them covers by itself: names are without number, and
    /// no finite number of them makes a wildcard. That is why there is one shortest list for each set.
    fn covers(&self, scope: &str, strictly: bool) -> bool;

    /// What one of `these` and one of `those` both allow, where neither covers the other.
    fn overlaps<'s>(these: &'s [String], those: &'s [String]) -> impl Iterator<Item = String> + 's {
        let _ = (these, those);
        std::iter::empty()
    }
}

/// A set of scopes: compiled once, immutable.
#[derive(Clone, Debug)]
pub struct Scopes<G> {
    /// The shortest list with the same meaning, sorted.
    scopes: Vec<String>,
    index: G,
    ignored: Vec<String>,
}

/// Why there is no such set of scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// A text that is not a scope of the grammar.
    Syntax {
        /// The text.
        scope: String,
        /// What a scope must be.
        must: &'static str,
    },
    /// An intersection that would take more than [`MAX_OVERLAP`] to write down.
    TooLarge,
}

/// The scopes of a text with spaces between them (RFC 6749 section 3.3). Only the space separates.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|scope| !scope.is_empty())
}

impl<G: Grammar> Scopes<G> {
    /// The set of these scopes, each of which must be one.
    ///
    /// # Errors
    /// [`ScopeError::Syntax`] for the first that is not.
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ScopeError> {
        let mut found = Vec::new();
        for scope in scopes {
            let scope = scope.as_ref();
            check::<G>(scope).map_err(|must| ScopeError::Syntax { scope: scope.to_owned(), must })?;
            found.push(scope.to_owned());
        }
        Ok(Self::of(found, Vec::new()))
    }

    /// The set of those that are scopes; the others grant nothing, and are listed in [`ignored`](Self::ignored). For
    /// what somebody holds. What somebody needs is read by [`new`](Self::new).
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

    /// What was left out because it is not a scope of the grammar, sorted.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The bytes that the set takes beside itself.
    pub(crate) fn heap(&self) -> usize {
        let texts = self.scopes.iter().chain(&self.ignored).map(|text| vector::<u8>(text.capacity()));
        let lists = vector::<String>(self.scopes.capacity()) + vector::<String>(self.ignored.capacity());
        texts.sum::<usize>() + lists + self.index.heap()
    }

    /// Whether the request is allowed.
    pub fn allows(&self, request: G::Request<'_>) -> bool {
        self.index.allows(request)
    }

    /// Whether this one scope is covered. A text that is not a scope never is.
    pub fn contains(&self, scope: &str) -> bool {
        check::<G>(scope).is_ok() && self.index.covers(scope, false)
    }

    /// Whether every request that the other set allows, this one allows, too. A set that something was left out of is
    /// covered by none: nobody knows what that was meant to demand.
    pub fn covers(&self, other: &Self) -> bool {
        self.missing(other).next().is_none()
    }

    /// Those scopes of the other set that this one does not cover.
    pub fn missing<'o>(&'o self, other: &'o Self) -> impl Iterator<Item = &'o str> {
        let uncovered = other.scopes.iter().filter(|scope| !self.index.covers(scope, false));
        uncovered.chain(&other.ignored).map(String::as_str)
    }

    /// The intersection: it allows what both allow, which is the most that both cover.
    ///
    /// # Errors
    /// [`ScopeError::TooLarge`] where it would take more than [`MAX_OVERLAP`] to write down.
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

    /// Demands that the request is allowed.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`] where it is not.
    pub fn require(&self, request: G::Request<'_>) -> Result<(), Error> {
        if self.allows(request) { Ok(()) } else { Err(Error::InsufficientScope { required: request.to_string() }) }
    }

    /// Demands that the other set is covered: that what it needs is held, or that what it delegates was there to give.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`], with the scopes that are not.
    pub fn require_all(&self, other: &Self) -> Result<(), Error> {
        let missing: Vec<&str> = self.missing(other).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::InsufficientScope { required: missing.join(" ") }) }
    }
}

/// What a set of texts takes beside itself.
fn texts(set: &HashSet<Box<str>>) -> usize {
    hash_table::<Box<str>>(set.capacity()) + set.iter().map(|text| vector::<u8>(text.len())).sum::<usize>()
}

/// White space in a scope would be two scopes to the next reader of the list; a control character has no honest use; a
/// replacement character stands where text was lost, so that two different scopes could look like one.
fn check<G: Grammar>(scope: &str) -> Result<(), &'static str> {
    if scope.is_empty() {
        return Err("a scope must not be empty");
    }
    if scope.chars().any(|ch| ch.is_whitespace() || ch.is_control() || ch == char::REPLACEMENT_CHARACTER) {
        return Err("a scope must not hold white space, control characters or replacement characters");
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
    /// The scopes with spaces between them: the value of a `scope` parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.scopes.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { scope, must } => write!(f, "{} is not a scope: {must}", Quoted(scope)),
            Self::TooLarge => write!(f, "the intersection takes more than {MAX_OVERLAP} bytes to write down"),
        }
    }
}

impl std::error::Error for ScopeError {}
