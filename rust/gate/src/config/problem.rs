//! What is wrong with a configuration, and where.

use std::cell::RefCell;
use std::fmt;

/// The place of a value in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// One error in a configuration, or one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text, if it is TOML.
    pub position: Option<Position>,
    /// The value, as `routes[2].scopes[0]`; empty for the whole.
    pub path: String,
    /// What is wrong and what to do. It has no secrets.
    pub message: String,
}

/// Collects problems, so that one run tells all of them.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Problem>>,
}

impl Problems {
    pub(crate) fn push(&self, position: Option<Position>, path: &str, message: impl Into<String>) {
        self.found.borrow_mut().push(Problem { position, path: path.to_owned(), message: message.into() });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// The problems in the order of the text.
    pub(crate) fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|problem| problem.position);
        found
    }
}

/// The places of bytes in a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at.saturating_add(1));
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count().saturating_add(1) }
    }
}

impl fmt::Display for Problem {
    /// Writes `12:9: routes[2].scopes: what is wrong`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
