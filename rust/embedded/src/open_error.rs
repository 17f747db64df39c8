//! Why a gate cannot be opened.

use std::fmt;

use watchword_gate::config::ConfigError;

/// Why a configuration, or a file that it needs, is refused: sentences for the operator, one a line. No value that may be
/// secret is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError(String);

impl OpenError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Each problem with the file that it is in, as compilers write them.
    pub(crate) fn of_config(file: Option<&str>, error: &ConfigError) -> Self {
        let line = |problem: &dyn fmt::Display| match file {
            Some(file) => format!("{file}:{problem}"),
            None => problem.to_string(),
        };
        let lines: Vec<String> = error.problems.iter().map(|problem| line(problem)).collect();
        Self(lines.join("\n"))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}
