//! Reads one table of a document, key by key: each key is asked for once, and those that nobody asked for are unknown.

use super::document::{Entry, Node, Value};
use super::problem::{Position, Problems};
use super::suggestion::closest;

/// A table of the document.
pub(super) struct Section<'d> {
    entries: &'d [Entry],
    position: Option<Position>,
    path: String,
    /// As in the schema: without indices.
    pattern: String,
    asked: Vec<(&'static str, Kind)>,
    context: Context<'d>,
}

/// What all sections of a document share.
#[derive(Clone, Copy)]
pub(super) struct Context<'d> {
    pub(super) problems: &'d Problems,
    /// All keys, by section, to say where a key belongs that is unknown here.
    pub(super) schema: &'d [Key],
}

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The section: `""`, `"token"`, `"routes[]"`, `"issuers[].cache"`.
    pub section: String,
    /// The name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
}

/// What the value of a key must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// A string, or a list of strings.
    TextOrTexts,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A number, 0 or more.
    Number,
    /// A whole number, 0 or more.
    Whole,
    /// A table.
    Table,
    /// A list of tables.
    Tables,
    /// A string, or a table.
    TextOrTable,
    /// A list of strings and of pairs of strings.
    Names,
}

/// A value with its position and path in the configuration.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) position: Option<Position>,
    pub(super) path: String,
}

impl<T> Located<T> {
    /// Reports that this value is wrong.
    pub(super) fn reject(&self, problems: &Problems, message: impl Into<String>) {
        problems.push(self.position, &self.path, message);
    }

    /// The place alone.
    pub(super) fn place(&self) -> Located<()> {
        Located { value: (), position: self.position, path: self.path.clone() }
    }

    fn map<U>(self, map: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: map(self.value), position: self.position, path: self.path }
    }
}

impl<'d> Section<'d> {
    /// The whole document.
    pub(super) fn root(node: &'d Node, context: Context<'d>) -> Self {
        Self::of(node, String::new(), String::new(), context)
    }

    fn of(node: &'d Node, path: String, pattern: String, context: Context<'d>) -> Self {
        let entries = match &node.value {
            Value::Table(entries) => entries.as_slice(),
            _ => &[],
        };
        Self { entries, position: node.position, path, pattern, asked: Vec::new(), context }
    }

    pub(super) fn problems(&self) -> &'d Problems {
        self.context.problems
    }

    /// The path of the section, as a located value.
    pub(super) fn place(&self) -> Located<()> {
        Located { value: (), position: self.position, path: self.path.clone() }
    }

    /// Whether the key is present.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// A string that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let found = self.take(key, Kind::Text)?;
        let text = self.as_text(&found, "a string")?;
        Some(found.map(|_| text))
    }

    /// A list of strings, none of them empty.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Located<Vec<Located<String>>>> {
        let found = self.take(key, Kind::Texts)?;
        if let Value::Text(text) = &found.value.value {
            // Values that may be secret are never lists.
            found.reject(self.problems(), format!("must be a list of strings: write [{text:?}]"));
            return None;
        }
        self.as_texts(found, "a list of strings")
    }

    /// A string, or a list of them.
    pub(super) fn text_or_texts(&mut self, key: &'static str) -> Option<Located<Vec<Located<String>>>> {
        let found = self.take(key, Kind::TextOrTexts)?;
        if matches!(found.value.value, Value::Text(_)) {
            let text = self.as_text(&found, "a string")?;
            let one = Located { value: text, position: found.position, path: found.path.clone() };
            return Some(found.map(|_| vec![one]));
        }
        self.as_texts(found, "a string or a list of strings")
    }

    /// One of a few strings.
    pub(super) fn one_of(
        &mut self,
        key: &'static str,
        known: &'static [&'static str],
    ) -> Option<Located<&'static str>> {
        let found = self.take(key, Kind::OneOf(known))?;
        let text = self.as_text(&found, "a string")?;
        match known.iter().find(|one| **one == text) {
            Some(one) => Some(found.map(|_| *one)),
            None => {
                let meant = closest(&text, known.iter().copied());
                let meant = meant.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
                found.reject(self.problems(), format!("{text:?} must be {}{meant}", alternatives(known)));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let found = self.take(key, Kind::Flag)?;
        match &found.value.value {
            Value::Bool(value) => Some(*value),
            _ => self.wrong_kind(&found, "true or false"),
        }
    }

    /// A finite number, 0 or more.
    pub(super) fn number(&mut self, key: &'static str) -> Option<Located<f64>> {
        let found = self.take(key, Kind::Number)?;
        match &found.value.value {
            Value::Number(number) if number.float.is_finite() && number.float >= 0.0 => {
                let float = number.float;
                Some(found.map(|_| float))
            }
            Value::Number(_) => {
                found.reject(self.problems(), "must be finite, and 0 or more");
                None
            }
            _ => self.wrong_kind(&found, "a number"),
        }
    }

    /// A whole number, `least` or more.
    pub(super) fn whole(&mut self, key: &'static str, least: u64) -> Option<Located<u64>> {
        let found = self.take(key, Kind::Whole)?;
        match &found.value.value {
            // What Python and databases can count, too.
            Value::Number(number) => match number.whole.filter(|whole| (least..=u64::MAX >> 1).contains(whole)) {
                Some(whole) => Some(found.map(|_| whole)),
                None => {
                    found.reject(self.problems(), format!("must be a whole number, {least} or more"));
                    None
                }
            },
            _ => self.wrong_kind(&found, "a whole number"),
        }
    }

    /// A table, or an empty one.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'d>> {
        let found = self.take(key, Kind::Table)?;
        match &found.value.value {
            Value::Table(_) => Some(Self::of(found.value, found.path, self.pattern_of(key), self.context)),
            Value::List(_) => {
                found.reject(self.problems(), format!("must be one table: write [{key}]"));
                None
            }
            _ => self.wrong_kind(&found, "a table"),
        }
    }

    /// A list of tables.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'d>> {
        let Some(found) = self.take(key, Kind::Tables) else { return Vec::new() };
        let pattern = format!("{}[]", self.pattern_of(key));
        match &found.value.value {
            Value::List(items) => {
                let mut sections = Vec::with_capacity(items.len());
                for (index, node) in items.iter().enumerate() {
                    let path = format!("{}[{index}]", found.path);
                    if matches!(node.value, Value::Table(_)) {
                        sections.push(Self::of(node, path, pattern.clone(), self.context));
                    } else {
                        self.problems().push(node.position, &path, format!("must be a table, not {}", node.kind()));
                    }
                }
                sections
            }
            Value::Table(_) => {
                found.reject(self.problems(), format!("must be a list of tables: write [[{key}]]"));
                Vec::new()
            }
            _ => self.wrong_kind(&found, "a list of tables").unwrap_or_default(),
        }
    }

    /// A string, or a table as JSON. Its value is never part of a message.
    pub(super) fn text_or_table(&mut self, key: &'static str) -> Option<Located<String>> {
        let found = self.take(key, Kind::TextOrTable)?;
        match &found.value.value {
            Value::Text(text) => {
                let text = text.clone();
                Some(found.map(|_| text))
            }
            Value::Table(_) => {
                let json = found.value.to_json();
                if json.is_none() {
                    found.reject(self.problems(), "has a value that JSON does not have");
                }
                Some(Located { value: json?, position: found.position, path: found.path })
            }
            _ => self.wrong_kind(&found, "a string or a table"),
        }
    }

    /// A list of names: strings, and pairs of an issuer and a name.
    pub(super) fn names(&mut self, key: &'static str) -> Option<Vec<(Option<String>, String)>> {
        let found = self.take(key, Kind::Names)?;
        let Value::List(items) = &found.value.value else { return self.wrong_kind(&found, "a list of names") };
        let mut names = Vec::with_capacity(items.len());
        for (index, node) in items.iter().enumerate() {
            let path = format!("{}[{index}]", found.path);
            let item = Located { value: node, position: node.position, path };
            if let Value::List(pair) = &node.value {
                match pair.as_slice() {
                    [Node { value: Value::Text(issuer), .. }, Node { value: Value::Text(name), .. }]
                        if !issuer.is_empty() && !name.is_empty() =>
                    {
                        names.push((Some(issuer.clone()), name.clone()));
                    }
                    _ => item.reject(self.problems(), "must be a pair of an issuer and a name, both strings"),
                }
            } else if let Some(name) = self.as_text(&item, "a name, or a pair of an issuer and a name") {
                names.push((None, name));
            }
        }
        Some(names)
    }

    /// Reports the keys that nobody asked for. Returns the keys that were, for the schema.
    pub(super) fn finish(self) -> Vec<Key> {
        for entry in self.entries.iter().filter(|entry| !self.asked.iter().any(|(known, _)| *known == entry.key)) {
            let path = join(&self.path, &entry.key);
            self.context.problems.push(entry.position, &path, self.unknown(&entry.key));
        }
        let Self { asked, pattern, .. } = self;
        asked.into_iter().map(|(name, kind)| Key { section: pattern.clone(), name, kind }).collect()
    }

    fn unknown(&self, key: &str) -> String {
        if let Some(meant) = closest(key, self.asked.iter().map(|(known, _)| *known)) {
            return format!("unknown key; did you mean {meant:?}?");
        }
        match self.context.schema.iter().find(|known| known.name == key) {
            None => "unknown key".to_owned(),
            Some(Key { section, .. }) if section.is_empty() => {
                format!("unknown key; {key:?} belongs to the top of the file, before the first section")
            }
            Some(Key { section, .. }) => {
                let header = match section.strip_suffix("[]") {
                    Some(list) => format!("[[{list}]]"),
                    None => format!("[{}]", section.replace("[]", "")),
                };
                format!("unknown key; {key:?} belongs to {header}")
            }
        }
    }

    fn take(&mut self, key: &'static str, kind: Kind) -> Option<Located<&'d Node>> {
        if !self.asked.iter().any(|(known, _)| *known == key) {
            self.asked.push((key, kind));
        }
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        // A table that a header opens has its place at the header.
        let position = entry.node.position.or(entry.position);
        Some(Located { value: &entry.node, position, path: join(&self.path, key) })
    }

    fn pattern_of(&self, key: &str) -> String {
        join(&self.pattern, key)
    }

    fn as_text(&self, found: &Located<&Node>, expected: &str) -> Option<String> {
        match &found.value.value {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            Value::Text(_) => {
                found.reject(self.problems(), "must not be empty");
                None
            }
            _ => self.wrong_kind(found, expected),
        }
    }

    fn as_texts(&self, found: Located<&'d Node>, expected: &str) -> Option<Located<Vec<Located<String>>>> {
        let Value::List(items) = &found.value.value else { return self.wrong_kind(&found, expected) };
        let mut texts: Vec<Located<String>> = Vec::with_capacity(items.len());
        for (index, node) in items.iter().enumerate() {
            let item = Located { value: node, position: node.position, path: format!("{}[{index}]", found.path) };
            let Some(text) = self.as_text(&item, "a string") else { continue };
            if texts.iter().any(|before| before.value == text) {
                item.reject(self.problems(), format!("{text:?} is listed twice"));
            }
            texts.push(item.map(|_| text));
        }
        Some(found.map(|_| texts))
    }

    fn wrong_kind<T>(&self, found: &Located<&Node>, expected: &str) -> Option<T> {
        found.reject(self.problems(), format!("must be {expected}, not {}", found.value.kind()));
        None
    }
}

/// `"a", "b" or "c"`.
fn alternatives(known: &[&str]) -> String {
    match known.split_last() {
        Some((last, [])) => format!("{last:?}"),
        Some((last, before)) => {
            let before: Vec<String> = before.iter().map(|one| format!("{one:?}")).collect();
            format!("{} or {last:?}", before.join(", "))
        }
        None => String::new(),
    }
}

fn join(path: &str, key: &str) -> String {
    // A key that is not one of ours may be anything.
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let key = if is_bare { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
