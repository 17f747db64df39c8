//! The columns of a header.

use super::parser::Parser;
use crate::error::Error;
use crate::fields::Fields;

/// How many names a message may list.
const MAX_NAMES: usize = 20;

/// How many characters a name has that a message may quote.
const MAX_NAME: usize = 40;

/// Which column each field is in, and how many there are.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) token: usize,
    pub(super) time: Option<usize>,
    pub(super) method: Option<usize>,
    pub(super) uri: Option<usize>,
    pub(super) proof: Option<usize>,
    pub(super) count: usize,
}

impl Columns {
    /// Finds the fields in the header that was just parsed.
    pub(super) fn find(header: &Parser, fields: &Fields) -> Result<Self, Error> {
        let optional = |name: &Option<String>| name.as_ref().map(|name| find(header, name)).transpose();
        Ok(Self {
            token: find(header, &fields.token)?,
            time: optional(&fields.time)?,
            method: optional(&fields.method)?,
            uri: optional(&fields.uri)?,
            proof: optional(&fields.proof)?,
            count: header.count(),
        })
    }
}

fn find(header: &Parser, name: &str) -> Result<usize, Error> {
    let mut found = (0..header.count()).filter(|index| header.field(*index) == Some(name.as_bytes()));
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(Error::RepeatedColumn(name.to_owned())),
        (None, _) => Err(Error::MissingColumn { name: name.to_owned(), columns: list(header) }),
    }
}

/// The names of the columns for a message. Without a header, the first line of a file has a token: only what looks like
/// a name is quoted.
fn list(header: &Parser) -> String {
    let quoted = |index: usize| {
        let name = header.field(index).unwrap_or_default();
        match std::str::from_utf8(name) {
            Ok(text) if is_name(text) => format!("{text:?}"),
            _ => format!("({} bytes)", name.len()),
        }
    };
    let mut names: Vec<String> = (0..header.count().min(MAX_NAMES)).map(quoted).collect();
    if let Some(more @ 1..) = header.count().checked_sub(MAX_NAMES) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|first| first.is_alphabetic() || matches!(first, '_' | '@' | ' '));
    begins
        && text.chars().count() <= MAX_NAME
        && characters.all(|other| other.is_alphanumeric() || matches!(other, '_' | '-' | '.' | ' ' | '/' | ':'))
}
