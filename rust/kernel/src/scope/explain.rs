//! Which scope grants a request, or else the nearest one that does not: for logs. A search through all scopes.

use std::fmt;

use super::resource::{ANY, BELOW};
use super::{ResourceRequest, ResourceScopes};
use crate::error::Quoted;

/// Why a request is allowed or rejected. Its `Display` is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    request: String,
    scope: Option<String>,
    reason: Reason,
}

/// How close a scope is to granting a request, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Unrelated.
    Unrelated,
    /// The resources share their first names, or the actions are equal.
    OtherResource,
    /// The same resource or an ancestor, but another action.
    OtherAction,
    /// `*:action`, but the resource has a dot.
    TopLevelOnly,
    /// The action on an ancestor of the resource, without the resources below it.
    NotBelow,
    Granted,
}

impl Explanation {
    /// Whether the request is allowed.
    pub fn allowed(&self) -> bool {
        self.reason == Reason::Granted
    }

    /// The scope that grants the request, the narrowest if several do; else the nearest that does not; `None` if no scope
    /// is related.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }
}

impl ResourceScopes {
    /// Finds the scope that grants the request, or else the nearest one that does not.
    pub fn explain(&self, request: ResourceRequest<'_>) -> Explanation {
        let near = self.scopes().iter().map(|scope| (rank(scope, request), scope)).max();
        let (reason, scope) = match near {
            Some(((reason, _), scope)) if reason > Reason::Unrelated => (reason, Some(scope.clone())),
            _ => (Reason::Unrelated, None),
        };
        Explanation { request: request.to_string(), scope, reason }
    }
}

/// How near a scope is to the request, and then how much of its text is the request's.
fn rank(scope: &str, request: ResourceRequest<'_>) -> (Reason, usize) {
    let Some((resource, action)) = scope.rsplit_once(':') else { return (Reason::Unrelated, 0) };
    let acts = action == request.action || action == ANY || action == BELOW;
    let is_top = !request.resource.contains('.');
    let reaches = resource == request.resource
        || (action == BELOW && (resource == ANY || is_below(request.resource, resource)))
        || (resource == ANY && is_top);
    let shared = if resource == ANY { 0 } else { names_shared(resource, request.resource) };
    let own = shared.saturating_mul(2).saturating_add(usize::from(action == request.action));
    let reason = match (acts, reaches) {
        (true, true) => Reason::Granted,
        (true, false) if resource == ANY => Reason::TopLevelOnly,
        (true, false) if is_below(request.resource, resource) => Reason::NotBelow,
        (false, true) => Reason::OtherAction,
        (false, false) if is_below(request.resource, resource) => Reason::OtherAction,
        _ if own > 0 => Reason::OtherResource,
        _ => Reason::Unrelated,
    };
    (reason, own)
}

fn is_below(resource: &str, above: &str) -> bool {
    resource.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// How many leading names two resources share.
fn names_shared(first: &str, second: &str) -> usize {
    first.split('.').zip(second.split('.')).take_while(|(first, second)| first == second).count()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = Quoted(&self.request);
        let Some(scope) = self.scope.as_deref().map(Quoted) else {
            return write!(f, "no scope grants {request}, and none is similar");
        };
        if self.allowed() {
            return write!(f, "{scope} grants {request}");
        }
        write!(f, "no scope grants {request}; the nearest, {scope}, ")?;
        f.write_str(match self.reason {
            Reason::NotBelow => "does not cover what is below its resource",
            Reason::TopLevelOnly => "covers only resources without a dot",
            Reason::OtherAction => "is for another action",
            _ => "is for another resource",
        })
    }
}
