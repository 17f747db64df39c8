//! A document, TOML or JSON, as one tree of values and their places.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use watchword_kernel::json;

use super::problem::{Lines, Position, Problem};

/// The maximum length of a configuration, in bytes.
pub(super) const MAX_CONFIG: usize = 1024 * 1024;

/// A value with its position in the document.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) position: Option<Position>,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something that no setting can be.
    Other(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) float: f64,
    /// If it is written without a fraction, and is not negative.
    pub(super) whole: Option<u64>,
}

/// A member of a table.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) position: Option<Position>,
    pub(super) node: Node,
}

impl Node {
    /// Reads TOML.
    pub(super) fn from_toml(text: &str) -> Result<Self, Vec<Problem>> {
        check_length(text.len())?;
        let lines = Lines::new(text);
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = Vec::new();
        for error in errors {
            let position = error.span().map(|span| lines.position(span.start));
            // One mistake often has several errors in its line.
            if !problems.iter().any(|known| known.position.map(|at| at.line) == position.map(|at| at.line)) {
                let message = format!("this is not TOML: {}", error.message().replace('\n', ", "));
                problems.push(Problem { position, path: String::new(), message });
            }
        }
        problems.sort_by_key(|problem| problem.position);
        if problems.is_empty() { Ok(of_table(document.as_ref(), 0, &lines)) } else { Err(problems) }
    }

    /// Reads JSON.
    pub(super) fn from_json(text: &str) -> Result<Self, Vec<Problem>> {
        check_length(text.len())?;
        let document = json::Object::parse(text.as_bytes()).map_err(|error| {
            let position = Some(Lines::new(text).position(error.offset));
            vec![Problem { position, path: String::new(), message: format!("this is not JSON: {error}") }]
        })?;
        Ok(Self { position: None, value: of_members(&document) })
    }

    /// What it is, for an error message.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }

    /// The value as JSON; `None` if it has something that JSON has not.
    pub(super) fn to_json(&self) -> Option<String> {
        Some(match &self.value {
            Value::Bool(value) => value.to_string(),
            Value::Number(Number { whole: Some(whole), .. }) => whole.to_string(),
            Value::Number(Number { float, .. }) if float.is_finite() => float.to_string(),
            Value::Text(text) => quoted(text),
            Value::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items?.join(","))
            }
            Value::Table(entries) => {
                let members: Option<Vec<String>> = entries
                    .iter()
                    .map(|entry| Some(format!("{}:{}", quoted(&entry.key), entry.node.to_json()?)))
                    .collect();
                format!("{{{}}}", members?.join(","))
            }
            Value::Number(_) | Value::Other(_) => return None,
        })
    }
}

/// A JSON string (RFC 8259 section 7).
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for ch in text.chars() {
        match ch {
            '"' | '\\' => quoted.extend(['\\', ch]),
            '\0'..='\u{1f}' => quoted.push_str(&format!("\\u{:04x}", u32::from(ch))),
            ch => quoted.push(ch),
        }
    }
    quoted.push('"');
    quoted
}

fn check_length(length: usize) -> Result<(), Vec<Problem>> {
    if length <= MAX_CONFIG {
        return Ok(());
    }
    let message = format!("the configuration is longer than {MAX_CONFIG} bytes");
    Err(vec![Problem { position: None, path: String::new(), message }])
}

fn of_table(table: &DeTable<'_>, offset: usize, lines: &Lines<'_>) -> Node {
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span().start;
            let key = key.as_ref().clone().into_owned();
            (at, Entry { key, position: Some(lines.position(at)), node: of_value(value, lines) })
        })
        .collect();
    // The parser sorts them by name.
    entries.sort_by_key(|(at, _)| *at);
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    Node { position: Some(lines.position(offset)), value: Value::Table(entries) }
}

fn of_value(value: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Node {
    let at = value.span().start;
    let value = match value.as_ref() {
        DeValue::Table(table) => return of_table(table, at, lines),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let whole = u64::from_str_radix(number.as_str(), number.radix()).ok();
            // Of a number with another base, only the whole one is known.
            let decimal = whole.map_or_else(|| number.as_str().to_owned(), |whole| whole.to_string());
            Value::Number(Number { float: decimal.parse().unwrap_or(f64::NAN), whole })
        }
        DeValue::Float(number) => {
            Value::Number(Number { float: number.as_str().parse().unwrap_or(f64::NAN), whole: None })
        }
        DeValue::Array(items) => Value::List(items.iter().map(|item| of_value(item, lines)).collect()),
        DeValue::Datetime(_) => Value::Other("a date or a time"),
    };
    Node { position: Some(lines.position(at)), value }
}

fn of_members(object: &json::Object<'_>) -> Value {
    let entries = object.iter().map(|(key, value)| Entry {
        key: key.to_owned(),
        position: None,
        node: Node { position: None, value: of_json(value) },
    });
    Value::Table(entries.collect())
}

fn of_json(value: &json::Value<'_>) -> Value {
    match value {
        json::Value::Null => Value::Other("null"),
        json::Value::Bool(value) => Value::Bool(*value),
        json::Value::Number(number) => {
            Value::Number(Number { float: number.as_f64(), whole: number.as_str().parse().ok() })
        }
        json::Value::String(text) => Value::Text(text.clone().into_owned()),
        json::Value::Array(items) => {
            Value::List(items.iter().map(|item| Node { position: None, value: of_json(&item) }).collect())
        }
        json::Value::Object(object) => of_members(&object.members()),
    }
}
