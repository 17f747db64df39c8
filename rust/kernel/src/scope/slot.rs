//! `action:resource:identifier`: three parts, of which the last may be `*`, any identifier.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{Grammar, heap_of};
use crate::heap::{hash_table, vector};

/// The grammar `action:resource:identifier`. No part is empty, and the identifier may contain further colons. `*` is a
/// wildcard if it is the whole identifier, an ordinary character elsewhere in the identifier, and an error in the action
/// or the resource.
#[derive(Debug, Clone, Default)]
pub struct Slot(HashMap<Box<str>, HashMap<Box<str>, Identifiers>>);

#[derive(Debug, Clone, Default)]
struct Identifiers {
    any: bool,
    named: HashSet<Box<str>>,
}

/// An action on the resource with this identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRequest<'r> {
    /// The action.
    pub action: &'r str,
    /// The type of the resource.
    pub resource: &'r str,
    /// The identifier of the resource.
    pub identifier: &'r str,
}

const ANY: &str = "*";

impl Grammar for Slot {
    type Request<'r> = SlotRequest<'r>;

    fn check(scope: &str) -> Result<(), &'static str> {
        let Some(slots) = SlotRequest::of(scope) else {
            return Err("a scope must have three parts, action:resource:identifier");
        };
        if slots.action.is_empty() || slots.resource.is_empty() || slots.identifier.is_empty() {
            return Err("none of action, resource and identifier may be empty");
        }
        if slots.action.contains('*') || slots.resource.contains('*') {
            return Err("\"*\" is allowed as the identifier only, not in the action or the resource");
        }
        Ok(())
    }

    fn insert(&mut self, scope: &str) {
        let Some(slots) = SlotRequest::of(scope) else { return };
        let identifiers = self.0.entry(slots.action.into()).or_default().entry(slots.resource.into()).or_default();
        if slots.identifier == ANY {
            identifiers.any = true;
        } else {
            identifiers.named.insert(slots.identifier.into());
        }
    }

    fn allows(&self, request: SlotRequest<'_>) -> bool {
        let named = |found: &Identifiers| found.any || found.named.contains(request.identifier);
        !request.identifier.is_empty() && self.identifiers(request).is_some_and(named)
    }

    fn heap(&self) -> usize {
        let resources = self.0.iter().map(|(action, resources)| {
            let named = resources.iter().map(|(resource, found)| vector::<u8>(resource.len()) + heap_of(&found.named));
            vector::<u8>(action.len())
                + hash_table::<(Box<str>, Identifiers)>(resources.capacity())
                + named.sum::<usize>()
        });
        hash_table::<(Box<str>, HashMap<Box<str>, Identifiers>)>(self.0.capacity()) + resources.sum::<usize>()
    }

    fn covers(&self, scope: &str, strictly: bool) -> bool {
        let Some(slots) = SlotRequest::of(scope) else { return false };
        let Some(found) = self.identifiers(slots) else { return false };
        let itself = if slots.identifier == ANY { found.any } else { found.named.contains(slots.identifier) };
        (found.any && slots.identifier != ANY) || (itself && !strictly)
    }
}

impl Slot {
    fn identifiers(&self, slots: SlotRequest<'_>) -> Option<&Identifiers> {
        self.0.get(slots.action)?.get(slots.resource)
    }
}

impl<'r> SlotRequest<'r> {
    /// The three parts of a scope.
    fn of(scope: &'r str) -> Option<Self> {
        let (action, rest) = scope.split_once(':')?;
        let (resource, identifier) = rest.split_once(':')?;
        Some(Self { action, resource, identifier })
    }
}

impl fmt::Display for SlotRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.action, self.resource, self.identifier)
    }
}
