//! Which scope granted a request, or the nearest that did not: for people and their logs. A search, not a look-up.

use std::fmt;

use super::resource::{ANY, BELOW};
use super::{ResourceRequest, ResourceScopes};
use crate::error::Quoted;

/// Why a request is allowed or not. Its `Display` is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    request: String,
    scope: Option<String>,
    reason: Reason,
}

/// How far a scope is from granting a request: the nearest come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Not at all related.
    Nothing,
    /// The resources have the beginning in common, or the actions are the same.
    OtherResource,
    /// The same resource, or one above it.
    OtherAction,
    /// `*:action`, and the resource has a dot.
    TopLevelOnly,
    /// The action, but on a resource above this one and not on those below that.
    NotBelow,
    Granted,
}

impl Explanation {
    /// Whether the request is allowed.
    pub fn allowed(&self) -> bool {
        self.reason == Reason::Granted
    }

    /// The scope that grants the request, the narrowest of them where several do; else the nearest that does not;
    /// `None` where none is near.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }
}

impl ResourceScopes {
    /// Which scope grants the request, or the nearest that does not.
    pub fn explain(&self, request: ResourceRequest<'_>) -> Explanation {
        let near = self.scopes().iter().map(|scope| (rank(scope, request), scope)).max();
        let (reason, scope) = match near {
            Some(((reason, _), scope)) if reason > Reason::Nothing => (reason, Some(scope.clone())),
            _ => (Reason::Nothing, None),
        };
        Explanation { request: request.to_string(), scope, reason }
    }
}

/// How near a scope is, and among those equally near how much of it is the request's own text.
fn rank(scope: &str, request: ResourceRequest<'_>) -> (Reason, usize) {
    let Some((resource, action)) = scope.rsplit_once(':') else { return (Reason::Nothing, 0) };
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
        _ => Reason::Nothing,
    };
    (reason, own)
}

fn is_below(resource: &str, above: &str) -> bool {
    resource.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// How many names two resources have in common, from the top.
fn names_shared(first: &str, second: &str) -> usize {
    first.split('.').zip(second.split('.')).take_while(|(first, second)| first == second).count()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = Quoted(&self.request);
        let Some(scope) = self.scope.as_deref().map(Quoted) else {
            return write!(f, "no scope grants {request}, and none is near");
        };
        if self.allowed() {
            return write!(f, "{scope} grants {request}");
        }
        write!(f, "no scope grants {request}; the nearest, {scope}, ")?;
        f.write_str(match self.reason {
            Reason::NotBelow => "does not reach below its resource",
            Reason::TopLevelOnly => "reaches resources without a dot only",
            Reason::OtherAction => "is for another action",
            _ => "is for another resource",
        })
    }
}
