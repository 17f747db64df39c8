//! Whether scopes that were handed on are no more than those that were held.

use std::collections::BTreeSet;

/// The identifier that stands for every identifier.
const ANY: &str = "*";

/// Whether whoever holds `held` may hand on `asked`: each scope of `asked` is one of `held`, or differs from one of them
/// in the identifier only, where that one has `*`.
///
/// Scopes have three parts, `action:resource:identifier`, of which the last may hold colons. One that has not, or that
/// has `*` for its action or its resource, covers nothing and is covered by nothing.
pub(super) fn covers(held: &[String], asked: &[String]) -> bool {
    let held: BTreeSet<(&str, &str)> = held.iter().filter_map(|scope| parts(scope)).collect();
    asked.iter().all(|scope| {
        parts(scope)
            .is_some_and(|(target, identifier)| held.contains(&(target, identifier)) || held.contains(&(target, ANY)))
    })
}

/// Action and resource as one, and the identifier.
fn parts(scope: &str) -> Option<(&str, &str)> {
    let (action, rest) = scope.split_once(':')?;
    let (resource, identifier) = rest.split_once(':')?;
    let is_named = |part: &str| !part.is_empty() && part != ANY;
    let (target, _) = scope.split_at_checked(action.len() + 1 + resource.len())?;
    (is_named(action) && is_named(resource) && !identifier.is_empty()).then_some((target, identifier))
}
