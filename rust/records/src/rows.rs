//! A block of rows, column by column.

use std::fmt;

use crate::reason::Reason;
use crate::step::Record;

/// A place between two records of the (decompressed) input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// How many bytes come before it.
    pub offset: u64,
    /// The number of the line on which it is, from 1.
    pub line: u64,
    /// Before this offset, CSV is read line by line, after a quoted field that was not closed (see
    /// [`Format::Csv`](crate::Format)); mostly 0.
    pub by_line_until: u64,
}

impl Position {
    /// The beginning of the input.
    pub const START: Self = Self { offset: 0, line: 1, by_line_until: 0 };
}

/// A column of texts, in the layout of Arrow's `Binary`: the bytes are what the input has, which need not be UTF-8
/// unless the format is NDJSON.
#[derive(Clone, PartialEq, Eq)]
pub struct TextColumn {
    /// The values one after the other.
    pub bytes: Vec<u8>,
    /// Where each value begins, and at the end where the last one ends: one more than there are rows.
    pub offsets: Vec<i32>,
    /// Whether each row has a value.
    pub present: Vec<bool>,
}

/// A record from which nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Why it is unreadable.
    pub reason: Reason,
}

/// A block of rows in the order of the input, and of the unreadable rows between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The tokens.
    pub tokens: TextColumn,
    /// The times of use, in Unix seconds. NaN if it is absent or is not a time.
    pub times: Vec<f64>,
    /// The methods, if [`Fields`](crate::Fields) names them.
    pub methods: Option<TextColumn>,
    /// The URIs, if [`Fields`](crate::Fields) names them.
    pub uris: Option<TextColumn>,
    /// The DPoP proofs, if [`Fields`](crate::Fields) names them.
    pub proofs: Option<TextColumn>,
    /// The line on which each record begins, from 1.
    pub lines: Vec<u64>,
    /// The records that could not be read, which have no row in the columns.
    pub unreadable: Vec<Unreadable>,
    /// Just after the last record of the block, readable or not; in the last block, the end of the input.
    pub ends: Position,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { bytes: Vec::new(), offsets: vec![0], present: Vec::new() }
    }
}

impl fmt::Debug for TextColumn {
    /// Shows the number of rows, not their values, which are tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextColumn({} rows)", self.present.len())
    }
}

impl TextColumn {
    /// The value of a row, if it has one.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let at = |index: usize| self.offsets.get(index).and_then(|offset| usize::try_from(*offset).ok());
        let value = self.bytes.get(at(row)?..at(row.checked_add(1)?)?)?;
        self.present.get(row)?.then_some(value)
    }

    fn push(&mut self, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        // The limits keep a block below 2 GiB.
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
        self.present.push(value.is_some());
    }
}

impl Rows {
    /// A block without rows that begins at `start`, with the optional columns of `columns`.
    pub(crate) fn empty(start: Position, columns: [bool; 3]) -> Self {
        let [methods, uris, proofs] = columns.map(|named| named.then(TextColumn::default));
        Self {
            tokens: TextColumn::default(),
            times: Vec::new(),
            methods,
            uris,
            proofs,
            lines: Vec::new(),
            unreadable: Vec::new(),
            ends: start,
        }
    }

    /// How many readable rows there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are neither readable nor unreadable rows.
    pub fn is_empty(&self) -> bool {
        self.records() == 0
    }

    /// How many rows there are, readable or not.
    pub fn records(&self) -> usize {
        self.lines.len() + self.unreadable.len()
    }

    /// How many bytes the texts have.
    pub(crate) fn text_bytes(&self) -> usize {
        let optional = [&self.methods, &self.uris, &self.proofs].into_iter().flatten();
        self.tokens.bytes.len() + optional.map(|column| column.bytes.len()).sum::<usize>()
    }

    pub(crate) fn push(&mut self, line: u64, record: &Record<'_>) {
        self.tokens.push(record.token.as_deref());
        self.times.push(record.time);
        let optional =
            [(&mut self.methods, &record.method), (&mut self.uris, &record.uri), (&mut self.proofs, &record.proof)];
        for (column, value) in optional {
            if let Some(column) = column {
                column.push(value.as_deref());
            }
        }
        self.lines.push(line);
    }
}
