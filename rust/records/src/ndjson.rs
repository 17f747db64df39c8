//! NDJSON: one JSON object a line.

use std::borrow::Cow;

use watchword_kernel::json::{DEEPEST, Object, Value};

use crate::buffer::Buffer;
use crate::column_time::parse_seconds_or_date;
use crate::fields::Fields;
use crate::lines::{Line, Lines, trim};
use crate::reason::Reason;
use crate::rows::Unreadable;
use crate::step::{Record, Step};

/// Reads one JSON object a line.
#[derive(Debug)]
pub(crate) struct Ndjson {
    lines: Lines,
    fields: Fields,
}

impl Ndjson {
    pub(crate) fn new(fields: Fields) -> Self {
        Self { lines: Lines::default(), fields }
    }

    pub(crate) fn next<'a>(&mut self, buffer: &'a mut Buffer, limit: usize) -> Step<'a> {
        match self.lines.next(buffer, limit) {
            Line::Whole(number, line) => {
                let line = trim(line, |byte| matches!(byte, b' ' | b'\t' | b'\r'));
                if line.is_empty() {
                    return Step::Skipped;
                }
                match record(line, &self.fields) {
                    Ok(record) => Step::Row(number, record),
                    Err(reason) => Step::Unreadable(Unreadable { line: number, reason }),
                }
            }
            Line::Unreadable(unreadable) => Step::Unreadable(unreadable),
            Line::NeedsInput => Step::NeedsInput,
            Line::End => Step::End,
        }
    }
}

fn record<'a>(line: &'a [u8], fields: &Fields) -> Result<Record<'a>, Reason> {
    let object = Object::parse_within(line, DEEPEST).map_err(|error| Reason::from(error.kind))?;
    let optional = |name: &Option<String>, reason| match name {
        Some(name) => text(&object, name, reason),
        None => Ok(None),
    };
    Ok(Record {
        token: text(&object, &fields.token, Reason::TokenNotAString)?,
        time: fields.time.as_ref().map_or(f64::NAN, |name| time(&object, name)),
        method: optional(&fields.method, Reason::MethodNotAString)?,
        uri: optional(&fields.uri, Reason::UriNotAString)?,
        proof: optional(&fields.proof, Reason::ProofNotAString)?,
    })
}

/// The member `name`, which must be a string, unless it is absent or null.
fn text<'a>(object: &Object<'a>, name: &str, reason: Reason) -> Result<Option<Cow<'a, [u8]>>, Reason> {
    match value(object, name).as_deref() {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(Cow::Borrowed(text))) => Ok(Some(Cow::Borrowed(text.as_bytes()))),
        Some(Value::String(Cow::Owned(text))) => Ok(Some(Cow::Owned(text.clone().into_bytes()))),
        Some(_) => Err(reason),
    }
}

/// The member `name` as a time, or NaN.
fn time(object: &Object<'_>, name: &str) -> f64 {
    match value(object, name).as_deref() {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => parse_seconds_or_date(text).unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// A value that is borrowed from an object or was read from within it.
enum Found<'o, 'a> {
    Member(&'o Value<'a>),
    Nested(Value<'a>),
}

impl<'a> std::ops::Deref for Found<'_, 'a> {
    type Target = Value<'a>;

    fn deref(&self) -> &Value<'a> {
        match self {
            Self::Member(value) => value,
            Self::Nested(value) => value,
        }
    }
}

/// The member `name` or, if there is none and the name has dots, the value at the end of the path that it is.
fn value<'o, 'a>(object: &'o Object<'a>, name: &str) -> Option<Found<'o, 'a>> {
    if let Some(value) = object.get(name) {
        return Some(Found::Member(value));
    }
    let mut path = name.split('.');
    let mut value = object.get(path.next()?)?.clone();
    let mut is_path = false;
    for member in path {
        is_path = true;
        let Value::Object(nested) = value else { return None };
        value = nested.members().get(member)?.clone();
    }
    is_path.then_some(Found::Nested(value))
}
