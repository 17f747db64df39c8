//! `resource(.sub)*:action`: actions on resources that form a tree, and words without a colon.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use super::{Grammar, heap_of};
use crate::heap::{hash_table, vector};

/// The grammar `resource(.sub)*:action`, split at the last colon.
///
/// `users:*` grants every action on that resource alone, `users:**` on that resource and everything below it. `*:read`
/// grants that action, and `*:*` every action, on resources without a dot; `*:**` grants everything. Any other `*` is an
/// ordinary character. A scope without a colon is a word (`owner`, `admin`, `member`): it equals itself only, grants no
/// action, and is not granted by any wildcard.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    words: HashSet<Box<str>>,
    /// The grants of `*`: `below` grants everything, the others apply to resources without a dot.
    anywhere: Grants,
    named: Tree,
}

/// An action on a resource. Neither is a pattern: `*` is an action or a resource of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRequest<'r> {
    /// The action.
    pub action: &'r str,
    /// The resource.
    pub resource: &'r str,
}

/// What is granted on one resource.
#[derive(Debug, Clone, Default)]
struct Grants {
    actions: HashSet<Box<str>>,
    all: bool,
    below: bool,
}

/// What may be required on one resource. Each variant includes those before it.
#[derive(Clone, Copy)]
enum Required<'a> {
    Action(&'a str),
    All,
    Below,
}

/// The grants of each resource. Resources are found by a hash that is extended along their text, so that a resource and
/// all its ancestors are looked up in one pass.
#[derive(Debug, Clone, Default)]
struct Tree {
    hashing: RandomState,
    entries: HashMap<u64, Vec<(Box<str>, Grants)>>,
}

pub(super) const ANY: &str = "*";
pub(super) const BELOW: &str = "**";

impl Grammar for Resource {
    type Request<'r> = ResourceRequest<'r>;

    fn check(scope: &str) -> Result<(), &'static str> {
        match scope.rsplit_once(':') {
            Some(("", _) | (_, "")) => Err("neither the resource nor the action of resource:action may be empty"),
            _ => Ok(()),
        }
    }

    fn insert(&mut self, scope: &str) {
        match scope.rsplit_once(':') {
            None => _ = self.words.insert(scope.into()),
            Some((ANY, action)) => self.anywhere.insert(action),
            Some((resource, action)) => self.named.insert(resource, action),
        }
    }

    fn allows(&self, request: ResourceRequest<'_>) -> bool {
        self.includes(request.resource, Required::Action(request.action), false)
    }

    fn heap(&self) -> usize {
        let Self { words, anywhere, named: Tree { hashing: _, entries } } = self;
        let named = entries.values().map(|entries| {
            let grants = entries.iter().map(|(name, grants)| vector::<u8>(name.len()) + heap_of(&grants.actions));
            vector::<(Box<str>, Grants)>(entries.capacity()) + grants.sum::<usize>()
        });
        heap_of(words)
            + heap_of(&anywhere.actions)
            + hash_table::<(u64, Vec<(Box<str>, Grants)>)>(entries.capacity())
            + named.sum::<usize>()
    }

    fn covers(&self, scope: &str, strictly: bool) -> bool {
        let Some((resource, action)) = scope.rsplit_once(':') else {
            return !strictly && self.words.contains(scope);
        };
        let required = match action {
            ANY => Required::All,
            BELOW => Required::Below,
            action => Required::Action(action),
        };
        if resource == ANY {
            self.anywhere.includes(required, strictly)
        } else {
            self.includes(resource, required, strictly)
        }
    }

    /// `*:*` and `users:**` both allow `users:*`; `*:read` and `users:*` both allow `users:read`.
    fn overlaps<'s>(these: &'s [String], those: &'s [String]) -> impl Iterator<Item = String> + 's {
        let wide = these.iter().filter_map(|scope| match scope.rsplit_once(':') {
            Some((resource, ANY | BELOW)) if resource != ANY && !resource.contains('.') => Some(resource),
            _ => None,
        });
        let anywhere: Vec<&str> = those
            .iter()
            .filter_map(|scope| match scope.rsplit_once(':') {
                Some((ANY, action)) if action != BELOW => Some(action),
                _ => None,
            })
            .collect();
        wide.flat_map(move |resource| anywhere.clone().into_iter().map(move |action| format!("{resource}:{action}")))
    }
}

impl Resource {
    fn includes(&self, resource: &str, required: Required<'_>, strictly: bool) -> bool {
        self.anywhere.below
            || (!resource.contains('.') && self.anywhere.includes(required, false))
            || self.named.includes(resource, required, strictly)
    }
}

impl Grants {
    fn insert(&mut self, action: &str) {
        match action {
            ANY => self.all = true,
            BELOW => self.below = true,
            action => _ = self.actions.insert(action.into()),
        }
    }

    fn includes(&self, required: Required<'_>, strictly: bool) -> bool {
        match required {
            Required::Below => self.below && !strictly,
            Required::All => self.below || (self.all && !strictly),
            Required::Action(action) => self.below || self.all || (!strictly && self.actions.contains(action)),
        }
    }
}

impl Tree {
    /// The ancestors of a resource, the topmost first, and the resource itself, each with its hash.
    fn path<'r>(&self, resource: &'r str) -> impl Iterator<Item = (&'r str, u64)> + use<'r> {
        let mut hasher = self.hashing.build_hasher();
        let mut end = 0;
        resource.split('.').filter_map(move |name| {
            hasher.write(name.as_bytes());
            hasher.write_u8(b'.');
            end += name.len() + 1;
            Some((resource.get(..end - 1)?, hasher.clone().finish()))
        })
    }

    fn insert(&mut self, resource: &str, action: &str) {
        let hash = self.path(resource).last().map_or(0, |(_, hash)| hash);
        let entries = self.entries.entry(hash).or_default();
        if let Some((_, grants)) = entries.iter_mut().find(|(name, _)| **name == *resource) {
            grants.insert(action);
        } else {
            let mut grants = Grants::default();
            grants.insert(action);
            // Collisions are not expected: room for one resource is enough.
            entries.reserve_exact(1);
            entries.push((resource.into(), grants));
        }
    }

    fn includes(&self, resource: &str, required: Required<'_>, strictly: bool) -> bool {
        self.path(resource).any(|(name, hash)| {
            // A name is compared only if its grants suffice: otherwise the comparisons would add up.
            let is_whole = name.len() == resource.len();
            self.entries.get(&hash).is_some_and(|entries| {
                entries.iter().any(|(entry, grants)| {
                    let suffices = if is_whole { grants.includes(required, strictly) } else { grants.below };
                    suffices && **entry == *name
                })
            })
        })
    }
}

impl fmt::Display for ResourceRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}
