//! Which route a request takes: the first whose methods and path template match.

use crate::methods::Methods;
use crate::path::NormalPath;
use crate::template::{Segment, Template, Variables};

/// The routes, indexed by the segments of their templates: how long it takes to find one depends on the path, and hardly
/// on the number of routes.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    routes: Vec<(Template, Methods)>,
    root: Node,
}

/// The route of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Its position among the routes.
    pub index: usize,
    /// What the variables of its template stand for.
    pub variables: Variables,
}

/// What may follow the segments that lead here.
#[derive(Debug, Clone, Default)]
struct Node {
    /// The routes whose templates end here, in order.
    end: Vec<usize>,
    /// Those that end here with a variable for all that remains.
    rest: Vec<usize>,
    /// The next segments by name, sorted.
    literals: Vec<(Box<str>, Node)>,
    variable: Option<Box<Node>>,
    /// The first route in or below this node.
    first: usize,
}

impl RouteTable {
    /// The table of these routes, in their order.
    pub fn compile(routes: impl IntoIterator<Item = (Template, Methods)>) -> Self {
        let mut table = Self::default();
        for (index, (template, methods)) in routes.into_iter().enumerate() {
            table.root.insert(template.segments(), index);
            table.routes.push((template, methods));
        }
        table
    }

    /// The first route that matches: its methods include `method`, compared exactly, and its template matches the path.
    pub fn find(&self, method: &str, path: &NormalPath) -> Option<Matched> {
        let includes = |&index: &usize| self.routes.get(index).is_some_and(|(_, methods)| methods.includes(method));
        let index = self.root.find(path.as_str().strip_prefix('/'), &includes, usize::MAX)?;
        let (template, _) = self.routes.get(index)?;
        Some(Matched { index, variables: template.matches(path)? })
    }

    /// The routes, in their order.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &(Template, Methods)> {
        self.routes.iter()
    }
}

impl Node {
    fn insert(&mut self, segments: &[Segment], index: usize) {
        if self.is_empty() {
            self.first = index;
        }
        match segments.split_first() {
            None => self.end.push(index),
            Some((Segment::Rest(_), _)) => self.rest.push(index),
            Some((Segment::Variable(_), after)) => self.variable.get_or_insert_default().insert(after, index),
            Some((Segment::Literal(name), after)) => {
                let at = self.position(name).unwrap_or_else(|at| {
                    self.literals.insert(at, (name.clone(), Self::default()));
                    at
                });
                if let Some((_, node)) = self.literals.get_mut(at) {
                    node.insert(after, index);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.end.is_empty() && self.rest.is_empty() && self.literals.is_empty() && self.variable.is_none()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.literals.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// The first route before `before` that `remaining` leads to, of those that `includes` allows. No node is visited
    /// twice, so that no path takes more steps than there are nodes.
    fn find(&self, remaining: Option<&str>, includes: &impl Fn(&usize) -> bool, before: usize) -> Option<usize> {
        if self.first >= before {
            return None;
        }
        let is_better = |index: &&usize| **index < before && includes(index);
        let Some(remaining) = remaining else { return self.end.iter().find(is_better).copied() };
        let (segment, after) = match remaining.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (remaining, None),
        };
        let mut best = None;
        if let Some((_, node)) = self.position(segment).ok().and_then(|at| self.literals.get(at)) {
            best = node.find(after, includes, before);
        }
        if segment.is_empty() {
            return best;
        }
        if let Some(node) = &self.variable {
            best = node.find(after, includes, best.unwrap_or(before)).or(best);
        }
        let before = best.unwrap_or(before);
        self.rest.iter().find(|index| **index < before && includes(index)).copied().or(best)
    }
}
