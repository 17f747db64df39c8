//! Properties of arbitrary scopes: the body of the fuzz target `scopes`, and of the test that replays its corpus.
//!
//! The input is text in lines: granted scopes, required scopes, then an action, a resource and an identifier. Results
//! are compared with the published rule of each grammar, implemented plainly and applied to one scope after the other.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a check fails by panicking")]

use std::collections::hash_map::DefaultHasher;
use std::fmt::Display;
use std::hash::{Hash as _, Hasher as _};

use watchword_kernel::scope::{
    Grammar, Plain, Resource, ResourceRequest, ScopeError, Scopes, Slot, SlotRequest, split,
};

pub(crate) fn scopes(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (granted, required) = (line(), line());
    let (action, resource, identifier) = (line(), line(), line());

    let request = ResourceRequest { action, resource };
    let sets = laws::<Resource>(granted, required, request, |scope| resource_grants(scope, request));
    for set in sets {
        let explanation = set.explain(request);
        assert_eq!(explanation.allowed(), set.allows(request));
        assert!(explanation.scope().is_none_or(|scope| set.scopes().iter().any(|granted| granted == scope)));
        assert!(!explanation.allowed() || explanation.scope().is_some_and(|scope| resource_grants(scope, request)));
        check_message(&explanation);
    }
    let request = SlotRequest { action, resource, identifier };
    laws::<Slot>(granted, required, request, |scope| slot_grants(scope, request));
    laws::<Plain>(granted, required, resource, |scope| scope == resource);
}

/// The laws of an order, and of its greatest lower bound. Returns the two sets and their intersection.
fn laws<G: Grammar + Clone + std::fmt::Debug>(
    granted: &str,
    required: &str,
    request: G::Request<'_>,
    grants: impl Fn(&str) -> bool,
) -> Vec<Scopes<G>> {
    let ours = reading::<G>(granted);
    let theirs = reading::<G>(required);
    for set in [&ours, &theirs] {
        assert_eq!(set.allows(request), set.scopes().iter().any(|scope| grants(scope)));
        let written = set.to_string();
        let again = Scopes::<G>::new(split(&written)).expect("what was written can be read");
        assert_eq!(again.scopes(), set.scopes());
        // A set with ignored scopes is covered by no set, not even itself.
        assert_eq!(set.covers(set), set.ignored().is_empty());
        assert_eq!(set.require(request).is_ok(), set.allows(request));
        for scope in set.scopes() {
            assert!(set.contains(scope));
        }
        for scope in set.scopes().iter().take(16) {
            let others = Scopes::<G>::new(set.scopes().iter().filter(|other| *other != scope)).expect("scopes");
            assert!(!others.contains(scope), "{scope:?} is superfluous");
        }
        assert!(set.ignored().iter().all(|text| !set.contains(text)));
    }
    if ours.covers(&theirs) {
        assert!(ours.allows(request) || !theirs.allows(request));
        assert_eq!(theirs.covers(&ours), ours == theirs);
    }
    if ours == theirs {
        assert_eq!(hash(&ours), hash(&theirs));
    }
    assert_eq!(ours.missing(&theirs).next().is_none(), ours.covers(&theirs));
    assert_eq!(ours.require_all(&theirs).is_ok(), ours.covers(&theirs));
    if let Err(error) = ours.require_all(&theirs) {
        assert_eq!(error.code(), "insufficient_scope");
        check_message(&error);
    }
    let both = match ours.narrow(&theirs) {
        Ok(both) => both,
        Err(error) => {
            assert_eq!(error, ScopeError::TooLarge);
            return vec![ours, theirs];
        }
    };
    assert_eq!(both.allows(request), ours.allows(request) && theirs.allows(request));
    assert!(ours.covers(&both) && theirs.covers(&both));
    assert_eq!(Ok(&both), theirs.narrow(&ours).as_ref());
    for scope in ours.scopes().iter().chain(theirs.scopes()) {
        assert_eq!(both.contains(scope), ours.contains(scope) && theirs.contains(scope));
    }
    vec![ours, theirs, both]
}

/// The lenient reading, compared with the strict one.
fn reading<G: Grammar + Clone + std::fmt::Debug>(text: &str) -> Scopes<G> {
    let set = Scopes::<G>::from_claim(split(text));
    match Scopes::<G>::new(split(text)) {
        Ok(strict) => assert_eq!(strict, set),
        Err(error) => {
            assert!(matches!(&error, ScopeError::Syntax { scope, .. } if set.ignored().contains(scope)));
            check_message(&error);
        }
    }
    set
}

fn resource_grants(scope: &str, request: ResourceRequest<'_>) -> bool {
    let Some((resource, action)) = scope.rsplit_once(':') else { return false };
    let is_below = || request.resource.starts_with(&format!("{resource}."));
    (action == request.action || action == "*" || action == "**")
        && match (resource, action) {
            ("*", "**") => true,
            ("*", _) => !request.resource.contains('.'),
            (_, "**") => resource == request.resource || is_below(),
            _ => resource == request.resource,
        }
}

fn slot_grants(scope: &str, request: SlotRequest<'_>) -> bool {
    let mut slots = scope.splitn(3, ':');
    slots.next() == Some(request.action)
        && slots.next() == Some(request.resource)
        && !request.identifier.is_empty()
        && slots.next().is_some_and(|identifier| identifier == request.identifier || identifier == "*")
}

fn hash<G>(set: &Scopes<G>) -> u64 {
    let mut hasher = DefaultHasher::new();
    set.hash(&mut hasher);
    hasher.finish()
}

/// Short and, apart from the ellipsis, printable ASCII: fit for a log line.
fn check_message(message: &impl Display) {
    let message = message.to_string();
    assert!(message.chars().all(|ch| (' '..='~').contains(&ch) || ch == '…'), "{message:?}");
    assert!(message.len() < 2048);
}
