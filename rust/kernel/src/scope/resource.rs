//! `resource(.sub)*:action`: actions on resources that form a tree, and words beside them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use super::{Grammar, texts};
use crate::heap::{hash_table, vector};

/// The grammar `resource(.sub)*:action`, split at the last colon.
///
/// `users:*` is every action on exactly that resource, `users:**` on that resource and all below it; `*:read` is that
/// action, and `*:*` every action, on resources without a dot; `*:**` is everything. Any other `*` is a character like
/// any other. A scope without a colon is a word (`owner`, `admin`, `member`): it stands for itself, grants no action, and
/// no wildcard grants it.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    words: HashSet<Box<str>>,
    /// What `*` is held with: `below` is everything, the rest is for resources without a dot.
    anywhere: Held,
    named: Tree,
}

/// An action on a resource. Neither is read as a pattern: `*` asks for an action or a resource of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRequest<'r> {
    /// What is to be done.
    pub action: &'r str,
    /// What it is to be done to.
    pub resource: &'r str,
}

/// What is held on one resource.
#[derive(Debug, Clone, Default)]
struct Held {
    actions: HashSet<Box<str>>,
    all: bool,
    below: bool,
}

/// What may be wanted on one resource; each of the three is part of those that follow.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Action(&'a str),
    All,
    Below,
}

/// What is held on each resource. Resources are found by a hash that grows along their text, so that a resource and
/// everything above it are looked up in one pass, however many dots there are.
#[derive(Debug, Clone, Default)]
struct Tree {
    hashing: RandomState,
    entries: HashMap<u64, Vec<(Box<str>, Held)>>,
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
        self.holds(request.resource, Wanted::Action(request.action), false)
    }

    fn heap(&self) -> usize {
        let Self { words, anywhere, named: Tree { hashing: _, entries } } = self;
        let named = entries.values().map(|entries| {
            let held = entries.iter().map(|(name, held)| vector::<u8>(name.len()) + texts(&held.actions));
            vector::<(Box<str>, Held)>(entries.capacity()) + held.sum::<usize>()
        });
        texts(words)
            + texts(&anywhere.actions)
            + hash_table::<(u64, Vec<(Box<str>, Held)>)>(entries.capacity())
            + named.sum::<usize>()
    }

    fn covers(&self, scope: &str, strictly: bool) -> bool {
        let Some((resource, action)) = scope.rsplit_once(':') else {
            return !strictly && self.words.contains(scope);
        };
        let wanted = match action {
            ANY => Wanted::All,
            BELOW => Wanted::Below,
            action => Wanted::Action(action),
        };
        if resource == ANY { self.anywhere.holds(wanted, strictly) } else { self.holds(resource, wanted, strictly) }
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
    fn holds(&self, resource: &str, wanted: Wanted<'_>, strictly: bool) -> bool {
        self.anywhere.below
            || (!resource.contains('.') && self.anywhere.holds(wanted, false))
            || self.named.holds(resource, wanted, strictly)
    }
}

impl Held {
    fn insert(&mut self, action: &str) {
        match action {
            ANY => self.all = true,
            BELOW => self.below = true,
            action => _ = self.actions.insert(action.into()),
        }
    }

    fn holds(&self, wanted: Wanted<'_>, strictly: bool) -> bool {
        match wanted {
            Wanted::Below => self.below && !strictly,
            Wanted::All => self.below || (self.all && !strictly),
            Wanted::Action(action) => self.below || self.all || (!strictly && self.actions.contains(action)),
        }
    }
}

impl Tree {
    /// A resource's ancestors, the furthest first, and the resource itself, each with its hash.
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
        if let Some((_, held)) = entries.iter_mut().find(|(name, _)| **name == *resource) {
            held.insert(action);
        } else {
            let mut held = Held::default();
            held.insert(action);
            // Two resources of one hash are not to be expected: room for one is enough.
            entries.reserve_exact(1);
            entries.push((resource.into(), held));
        }
    }

    fn holds(&self, resource: &str, wanted: Wanted<'_>, strictly: bool) -> bool {
        self.path(resource).any(|(name, hash)| {
            // A name is compared only where that decides the answer: the comparisons would add up otherwise.
            let is_whole = name.len() == resource.len();
            self.entries.get(&hash).is_some_and(|entries| {
                entries.iter().any(|(entry, held)| {
                    let suffices = if is_whole { held.holds(wanted, strictly) } else { held.below };
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
