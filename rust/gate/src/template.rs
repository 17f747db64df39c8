//! Path templates: `/orders/{id}`, `/files/{path...}`.
//!
//! `{id}` stands for one segment that is not empty, `{path...}` for all that remains of the path: one segment or more, at
//! the end of the template only. Everything else is compared exactly, in the normal form of [`NormalPath`]; a slash at
//! the end is part of the path: `/orders` and `/orders/` are two.

use std::fmt;
use std::sync::Arc;

use crate::path::{NormalPath, PathError, decoded};

/// A path template, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// This text, in normal form. It is empty only at the end.
    Literal(Box<str>),
    /// One segment, not empty.
    Variable(Arc<str>),
    /// All that remains: one segment or more, of which the first is not empty. At the end only.
    Rest(Arc<str>),
}

/// The variables of a template and what they stand for in a path, decoded, in the order of the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(Arc<str>, Box<str>)>);

/// Why a text is not a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// It is not a path.
    Path(PathError),
    /// A brace is not the begin or the end of a segment.
    PartOfSegment(String),
    /// What is in braces is not a name.
    Name(String),
    /// Two variables have this name.
    Twice(String),
    /// A segment is how others write a variable: `*`, `**` or `:id`.
    Foreign(String),
    /// A `{name...}` is not at the end.
    RestNotLast(String),
    /// It has a `?` or a `#`.
    Query,
}

impl Template {
    /// Reads a path template.
    ///
    /// # Errors
    /// [`TemplateError`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.contains(['?', '#']) {
            return Err(TemplateError::Query);
        }
        // The whole path first, a letter for each variable, so that all rules for paths apply to it.
        let mut sample = String::with_capacity(text.len());
        let mut names: Vec<Option<(Arc<str>, bool)>> = Vec::new();
        let Some(relative) = text.strip_prefix('/') else { return Err(TemplateError::Path(PathError::NotOriginForm)) };
        for segment in relative.split('/') {
            let name = variable(segment)?;
            if let Some((Some((rest, true)), _)) = names.split_last() {
                return Err(TemplateError::RestNotLast(rest.to_string()));
            }
            if let Some((name, _)) = &name
                && names.iter().flatten().any(|(before, _)| before == name)
            {
                return Err(TemplateError::Twice(name.to_string()));
            }
            sample.push('/');
            sample.push_str(if name.is_some() { "v" } else { segment });
            names.push(name);
        }
        let path = NormalPath::parse(sample.as_bytes()).map_err(TemplateError::Path)?;
        let segments = path.segments().zip(names).map(|(literal, name)| match name {
            None => Segment::Literal(literal.into()),
            Some((name, false)) => Segment::Variable(name),
            Some((name, true)) => Segment::Rest(name),
        });
        Ok(Self { segments: segments.collect(), text: text.to_owned() })
    }

    /// The template, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the variables, in the order of the path.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Variable(name) | Segment::Rest(name) => Some(&**name),
        })
    }

    /// The variable for all that remains, if the template has one.
    pub fn rest(&self) -> Option<&str> {
        match self.segments.last() {
            Some(Segment::Rest(name)) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What the variables stand for in this path, or `None` if it does not match.
    pub fn matches(&self, path: &NormalPath) -> Option<Variables> {
        let mut values = Vec::new();
        let mut remaining = path.as_str().strip_prefix('/');
        for segment in &self.segments {
            let here = remaining?;
            let (first, after) = match here.split_once('/') {
                Some((first, after)) => (first, Some(after)),
                None => (here, None),
            };
            match segment {
                Segment::Literal(literal) if **literal != *first => return None,
                Segment::Literal(_) => {}
                Segment::Variable(_) | Segment::Rest(_) if first.is_empty() => return None,
                Segment::Variable(name) => values.push((Arc::clone(name), decoded(first).into())),
                Segment::Rest(name) => {
                    // No segment of a normal path has an encoded slash, so that nothing is lost by decoding all at once.
                    values.push((Arc::clone(name), decoded(here).into()));
                    return Some(Variables(values));
                }
            }
            remaining = after;
        }
        remaining.is_none().then_some(Variables(values))
    }

    /// Whether this template matches every path that the other one matches.
    pub fn covers(&self, other: &Self) -> bool {
        let mut others = other.segments.iter();
        for segment in &self.segments {
            match (segment, others.next()) {
                (Segment::Rest(_), Some(first)) => return first.may_be_filled(),
                (Segment::Literal(one), Some(Segment::Literal(another))) if one == another => {}
                (Segment::Variable(_), Some(Segment::Variable(_))) => {}
                (Segment::Variable(_), Some(first @ Segment::Literal(_))) if first.may_be_filled() => {}
                _ => return false,
            }
        }
        others.next().is_none()
    }

    /// Whether there is a path that both templates match.
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut others = other.segments.iter();
        for segment in &self.segments {
            match (segment, others.next()) {
                (_, None) => return false,
                (Segment::Rest(_), Some(first)) | (first, Some(Segment::Rest(_))) => return first.may_be_filled(),
                (Segment::Literal(one), Some(Segment::Literal(another))) if one != another => return false,
                (Segment::Variable(_), Some(literal)) | (literal, Some(Segment::Variable(_)))
                    if !literal.may_be_filled() =>
                {
                    return false;
                }
                _ => {}
            }
        }
        others.next().is_none()
    }
}

impl Segment {
    /// Whether it can stand for a segment that is not empty.
    fn may_be_filled(&self) -> bool {
        !matches!(self, Self::Literal(literal) if literal.is_empty())
    }
}

impl Variables {
    /// What the variable of this name stands for.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The names and what they stand for, in the order of the path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Arc<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Whether a variable can have this name: a letter or an underscore, then letters, digits and underscores.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The variable that a segment is, and whether it stands for all that remains.
fn variable(segment: &str) -> Result<Option<(Arc<str>, bool)>, TemplateError> {
    // Compared as literals they would match no request that was meant.
    if ["*", "**"].contains(&segment) || segment.starts_with(':') {
        return Err(TemplateError::Foreign(segment.to_owned()));
    }
    if !segment.contains(['{', '}']) {
        return Ok(None);
    }
    let Some(name) = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) else {
        return Err(TemplateError::PartOfSegment(segment.to_owned()));
    };
    let (name, rest) = name.strip_suffix("...").map_or((name, false), |name| (name, true));
    if name.contains(['{', '}']) {
        return Err(TemplateError::PartOfSegment(segment.to_owned()));
    }
    if !is_name(name) {
        return Err(TemplateError::Name(name.to_owned()));
    }
    Ok(Some((name.into(), rest)))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(PathError::NotOriginForm) => f.write_str("the path of a route must begin with a slash"),
            Self::Path(PathError::Character) => f.write_str(
                "the path has a character that a path cannot have: percent-encode its UTF-8, as in \"/caf%C3%A9\"",
            ),
            Self::Path(error) => write!(f, "no request can have this path: {error}"),
            Self::PartOfSegment(segment) => {
                write!(f, "{segment:?} is not a variable: a variable takes a whole segment, as in \"/orders/{{id}}\"")
            }
            Self::Name(name) => {
                write!(f, "{name:?} is not a name of a variable: use letters, digits and underscores")
            }
            Self::Foreign(segment) => {
                write!(
                    f,
                    "{segment:?} is not a variable: write {{name}} for one segment, {{name...}} for all that remains"
                )
            }
            Self::Twice(name) => write!(f, "two variables have the name {name:?}"),
            Self::RestNotLast(name) => {
                write!(f, "{{{name}...}} stands for all that remains: it must be the last segment")
            }
            Self::Query => f.write_str("the path of a route has neither a query nor a fragment"),
        }
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    fn matched(text: &str, path: &str) -> Option<Vec<(String, String)>> {
        let path = NormalPath::parse(path.as_bytes()).unwrap();
        let variables = template(text).matches(&path)?;
        Some(variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_template_matches_its_paths_and_no_others() {
        let pairs = |pairs: &[(&str, &str)]| -> Option<Vec<(String, String)>> {
            Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        for (text, path, expected) in [
            ("/", "/", pairs(&[])),
            ("/", "/orders", None),
            ("/orders", "/orders", pairs(&[])),
            ("/orders", "/orders/", None),
            ("/orders/", "/orders/", pairs(&[])),
            ("/orders/", "/orders", None),
            ("/orders", "/Orders", None),
            ("/%6Frders", "/orders", pairs(&[])),
            ("/caf%c3%a9", "/caf%C3%A9", pairs(&[])),
            ("/orders/{id}", "/orders/1", pairs(&[("id", "1")])),
            ("/orders/{id}", "/orders/caf%C3%A9%20", pairs(&[("id", "caf\u{e9} ")])),
            ("/orders/{id}", "/orders/", None),
            ("/orders/{id}", "/orders/1/2", None),
            ("/orders/{id}", "/orders/1/", None),
            ("/{a}/x/{b}", "/1/x/2", pairs(&[("a", "1"), ("b", "2")])),
            ("/{a}/x/{b}", "/1/y/2", None),
            ("/files/{path...}", "/files/a", pairs(&[("path", "a")])),
            ("/files/{path...}", "/files/a/b%20c/d/", pairs(&[("path", "a/b c/d/")])),
            ("/files/{path...}", "/files/", None),
            ("/files/{path...}", "/files", None),
            ("/{all...}", "/", None),
            ("/{all...}", "/a/", pairs(&[("all", "a/")])),
        ] {
            assert_eq!(matched(text, path), expected, "{text} {path}");
        }
        assert_eq!(template("/{a}/{b...}").variables().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(template("/{a}/{b...}").rest(), Some("b"));
    }

    #[test]
    fn what_is_not_a_template_is_rejected() {
        use TemplateError::*;
        for (text, error) in [
            ("", Path(PathError::NotOriginForm)),
            ("orders", Path(PathError::NotOriginForm)),
            ("/orders//{id}", Path(PathError::EmptySegment)),
            ("/../{id}", Path(PathError::DotSegment)),
            ("/a;b/{id}", Path(PathError::Parameter)),
            ("/caf\u{e9}", Path(PathError::Character)),
            ("/orders/*", Foreign("*".into())),
            ("/orders/:id", Foreign(":id".into())),
            ("/{id}.json", PartOfSegment("{id}.json".into())),
            ("/{a}{b}", PartOfSegment("{a}{b}".into())),
            ("/{id", PartOfSegment("{id".into())),
            ("/id}", PartOfSegment("id}".into())),
            ("/{}", Name(String::new())),
            ("/{...}", Name(String::new())),
            ("/{1}", Name("1".into())),
            ("/{a-b}", Name("a-b".into())),
            ("/{a}/{a}", Twice("a".into())),
            ("/{a...}/x", RestNotLast("a".into())),
            ("/orders?x=1", Query),
            ("/orders#x", Query),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn covering_and_overlapping() {
        for (one, another, covers, overlaps) in [
            ("/orders", "/orders", true, true),
            ("/orders", "/orders/", false, false),
            ("/orders/{id}", "/orders/1", true, true),
            ("/orders/1", "/orders/{id}", false, true),
            ("/orders/{id}", "/orders/", false, false),
            ("/orders/{id}", "/orders/{key}", true, true),
            ("/{a}/1", "/2/{b}", false, true),
            ("/{a}/1", "/2/2", false, false),
            ("/{all...}", "/orders/{id}", true, true),
            ("/{all...}", "/orders/", true, true),
            ("/{all...}", "/", false, false),
            ("/{all...}", "/{a}/{b...}", true, true),
            ("/{a}/{b...}", "/{all...}", false, true),
            ("/a/{b...}", "/a/", false, false),
            ("/a/b", "/{all...}", false, true),
            ("/a", "/a/{b...}", false, false),
            ("/{a}", "/{a}/{b}", false, false),
        ] {
            let (one, another) = (template(one), template(another));
            assert_eq!(one.covers(&another), covers, "{one} covers {another}");
            assert_eq!(one.overlaps(&another), overlaps, "{one} overlaps {another}");
            assert_eq!(another.overlaps(&one), overlaps, "{another} overlaps {one}");
        }
    }
}
