//! The scopes that a route requires: fixed ones, compiled once, and ones with variables of the path.

use watchword_kernel::VerifiedToken;
use watchword_kernel::scope::{PlainScopes, ResourceScopes, ScopeError, ScopeGrammar, SlotScopes};

use crate::failure::Failure;
use crate::template::Variables;

/// Scopes, all of which are required.
#[derive(Debug, Clone)]
pub struct ScopeRequirement {
    fixed: Fixed,
    patterns: Vec<Pattern>,
    /// All of them as they were declared, separated by spaces: what a client without a token is told.
    declared: String,
}

/// The scopes without variables, compiled.
#[derive(Debug, Clone)]
enum Fixed {
    Plain(PlainScopes),
    Resource(ResourceScopes),
    Slot(SlotScopes),
}

/// A scope with variables: texts, and between them the names of variables.
#[derive(Debug, Clone)]
struct Pattern {
    start: String,
    rest: Vec<(String, String)>,
}

impl ScopeRequirement {
    /// Requires these scopes of a grammar. `{name}` in a scope stands for the value of that variable of the path.
    ///
    /// # Errors
    /// [`ScopeError`] for the first text that is not a scope of the grammar, whatever its variables are.
    pub fn new<S: AsRef<str>>(grammar: ScopeGrammar, scopes: &[S]) -> Result<Self, ScopeError> {
        let (mut fixed, mut patterns) = (Vec::new(), Vec::new());
        for scope in scopes.iter().map(AsRef::as_ref) {
            match Pattern::parse(scope) {
                None => fixed.push(scope),
                Some(pattern) => {
                    Fixed::new(grammar, &[pattern.with(|_| Some("value")).unwrap_or_default()])?;
                    patterns.push(pattern);
                }
            }
        }
        let declared = scopes.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
        Ok(Self { fixed: Fixed::new(grammar, &fixed)?, patterns, declared })
    }

    /// The names of the variables, in the order of the scopes.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().flat_map(|pattern| pattern.rest.iter().map(|(name, _)| name.as_str()))
    }

    /// The grammar of the scopes.
    pub fn grammar(&self) -> ScopeGrammar {
        match self.fixed {
            Fixed::Plain(_) => ScopeGrammar::Plain,
            Fixed::Resource(_) => ScopeGrammar::Resource,
            Fixed::Slot(_) => ScopeGrammar::Slot,
        }
    }

    /// All scopes with the variables of a path filled in, separated by spaces; `None` if there are none, or if the value
    /// of a variable cannot be part of a scope.
    pub fn required(&self, variables: &Variables) -> Option<String> {
        if self.declared.is_empty() {
            return None;
        }
        if self.patterns.is_empty() {
            return Some(self.declared.clone());
        }
        let filled = self.declared.split(' ').map(|scope| match Pattern::parse(scope) {
            None => Some(scope.to_owned()),
            Some(pattern) => self.filled(&pattern, variables),
        });
        filled.collect::<Option<Vec<_>>>().map(|scopes| scopes.join(" "))
    }

    pub(super) fn check(&self, token: &VerifiedToken, variables: &Variables) -> Result<(), Failure> {
        if self.declared.is_empty() {
            return Ok(());
        }
        let missing = |missing: Vec<&str>| {
            let detail = format!("the token's scopes do not include {}", missing.join(" "));
            Failure { scope: self.required(variables), ..Failure::with_detail("insufficient_scope", detail) }
        };
        let filled: Option<Vec<String>> = self.patterns.iter().map(|pattern| self.filled(pattern, variables)).collect();
        // A value that cannot be part of a scope is in no token's scopes.
        let Some(filled) = filled else {
            return Err(missing(vec!["one for this path"]));
        };
        macro_rules! check {
            ($granted:expr, $fixed:expr) => {{
                let granted = $granted;
                let mut lacks: Vec<&str> = granted.missing($fixed).collect();
                lacks.extend(filled.iter().map(String::as_str).filter(|scope| !granted.contains(scope)));
                if lacks.is_empty() { Ok(()) } else { Err(missing(lacks)) }
            }};
        }
        match &self.fixed {
            Fixed::Plain(fixed) => check!(token.plain_scopes(), fixed),
            Fixed::Resource(fixed) => check!(token.resource_scopes(), fixed),
            Fixed::Slot(fixed) => check!(token.slot_scopes(), fixed),
        }
    }

    /// A scope for this path. A variable stands for one name: a value with a separator or a wildcard of any grammar would
    /// be something else, and is in no scope.
    fn filled(&self, pattern: &Pattern, variables: &Variables) -> Option<String> {
        let may_have_dots = self.grammar() != ScopeGrammar::Resource;
        let is_name = |value: &&str| {
            !value.is_empty()
                && !value.chars().any(|ch| {
                    matches!(ch, ':' | '*' | '{' | '}')
                        || (ch == '.' && !may_have_dots)
                        || ch.is_whitespace()
                        || ch.is_control()
                })
        };
        pattern.with(|name| variables.get(name).filter(is_name))
    }
}

impl Default for ScopeRequirement {
    /// No scopes.
    fn default() -> Self {
        let none: [&str; 0] = [];
        Self { fixed: Fixed::Plain(PlainScopes::from_claim(none)), patterns: Vec::new(), declared: String::new() }
    }
}

impl Fixed {
    fn new<S: AsRef<str>>(grammar: ScopeGrammar, scopes: &[S]) -> Result<Self, ScopeError> {
        Ok(match grammar {
            ScopeGrammar::Plain => Self::Plain(PlainScopes::new(scopes)?),
            ScopeGrammar::Resource => Self::Resource(ResourceScopes::new(scopes)?),
            ScopeGrammar::Slot => Self::Slot(SlotScopes::new(scopes)?),
        })
    }
}

impl Pattern {
    /// The pattern of a scope; `None` if it has no variable.
    fn parse(scope: &str) -> Option<Self> {
        let (start, mut remaining) = scope.split_once('{')?;
        let mut rest = Vec::new();
        loop {
            let (name, text) = remaining.split_once('}')?;
            match text.split_once('{') {
                None => {
                    rest.push((name.to_owned(), text.to_owned()));
                    return Some(Self { start: start.to_owned(), rest });
                }
                Some((text, next)) => {
                    rest.push((name.to_owned(), text.to_owned()));
                    remaining = next;
                }
            }
        }
    }

    fn with<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut scope = self.start.clone();
        for (name, text) in &self.rest {
            scope.push_str(value(name)?);
            scope.push_str(text);
        }
        Some(scope)
    }
}
