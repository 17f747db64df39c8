//! CSV (RFC 4180) with a header.

mod columns;
mod parser;

use memchr::{memchr, memchr_iter};

use crate::buffer::{Buffer, Ended, LineEnd};
use crate::column_time::parse_seconds_or_date;
use crate::error::Error;
use crate::fields::Fields;
use crate::reason::Reason;
use crate::rows::Unreadable;
use crate::step::{Record, Step};

use columns::Columns;
use parser::Parser;

/// How many bytes a header may have.
const MAX_HEADER: usize = 1 << 20;

/// Reads CSV records.
#[derive(Debug)]
pub(crate) struct Csv {
    fields: Fields,
    parser: Parser,
    /// How many of the unread bytes the parser has seen: those of the record that is not complete.
    parsed: usize,
    header: Option<Header>,
    /// The record whose first line is being skipped.
    skipping: Option<Unreadable>,
}

#[derive(Debug)]
struct Header {
    written: Vec<u8>,
    columns: Columns,
}

impl Csv {
    pub(crate) fn new(fields: Fields) -> Self {
        Self { fields, parser: Parser::new(), parsed: 0, header: None, skipping: None }
    }

    pub(crate) fn header(&self) -> Option<&[u8]> {
        self.header.as_ref().map(|header| header.written.as_slice())
    }

    /// Takes over the header that another reader has read.
    pub(crate) fn set_header(&mut self, written: &[u8]) -> Result<(), Error> {
        let (_, is_record) = self.parser.parse(written);
        if !is_record && !self.parser.end_line() {
            return Err(Error::UnreadableHeader);
        }
        self.keep_header(written)
    }

    pub(crate) fn next<'a>(&'a mut self, buffer: &mut Buffer, limit: usize) -> Result<Step<'a>, Error> {
        if let Some(unreadable) = self.skipping {
            if !buffer.skip_line() && buffer.ended == Ended::No {
                return Ok(Step::NeedsInput);
            }
            self.skipping = None;
            return Ok(Step::Unreadable(unreadable));
        }
        if self.parsed == 0 {
            skip_line_ends(buffer);
        }
        if buffer.unread().is_empty() {
            return Ok(if buffer.ended == Ended::No { Step::NeedsInput } else { Step::End });
        }
        let limit = if self.header.is_none() { limit.min(MAX_HEADER) } else { limit };
        // How far the record may extend, and whether it cannot extend further with more input.
        let (length, is_all) = if buffer.is_by_line() {
            match buffer.line_end(limit) {
                LineEnd::After(length) => (length, true),
                LineEnd::TooLong => return self.skip_record(buffer, Reason::TooLong),
                LineEnd::NeedsInput => return Ok(Step::NeedsInput),
            }
        } else {
            let arrived = buffer.unread().len();
            (arrived.min(limit.saturating_add(1)), arrived > limit || buffer.ended != Ended::No)
        };
        let (seen, is_record) = self.parser.parse(buffer.unread().get(self.parsed..length).unwrap_or_default());
        self.parsed = self.parsed.saturating_add(seen);
        if is_record {
            return self.record(buffer);
        }
        if !is_all {
            return Ok(Step::NeedsInput);
        }
        if !self.parser.end_line() {
            return self.skip_record(buffer, Reason::QuoteNotClosed);
        }
        if length > limit {
            return self.skip_record(buffer, Reason::TooLong);
        }
        match buffer.broken_off() {
            Some(reason) => self.skip_record(buffer, reason),
            None => self.record(buffer),
        }
    }

    /// The record that the parser has just completed.
    fn record<'a>(&'a mut self, buffer: &mut Buffer) -> Result<Step<'a>, Error> {
        let line = buffer.position().line;
        let written = buffer.unread().get(..self.parsed).unwrap_or_default();
        let line_ends = memchr_iter(b'\n', written).count();
        let has_more_lines = line_ends > usize::from(written.ends_with(b"\n"));
        let problem = if has_text_after_quote(written) {
            Some(Reason::TextAfterQuote)
        } else {
            let is_other_count = |header: &Header| header.columns.count != self.parser.count();
            self.header.as_ref().is_some_and(is_other_count).then_some(Reason::FieldCount)
        };
        if let Some(reason) = problem
            && (has_more_lines || self.header.is_none())
        {
            return self.skip_record(buffer, reason);
        }
        let written = buffer.read(self.parsed, line_ends);
        self.parsed = 0;
        if let Some(reason) = problem {
            return Ok(Step::Unreadable(Unreadable { line, reason }));
        }
        if self.header.is_none() {
            self.keep_header(written)?;
            return Ok(Step::Skipped);
        }
        let columns = self.header.as_ref().map(|header| &header.columns);
        Ok(columns.map_or(Step::Skipped, |columns| Step::Row(line, record(&self.parser, columns))))
    }

    /// Skips the first line of a record, and reads line by line what the parser has seen of it after that.
    fn skip_record<'a>(&'a mut self, buffer: &mut Buffer, reason: Reason) -> Result<Step<'a>, Error> {
        if self.header.is_none() {
            return Err(Error::UnreadableHeader);
        }
        buffer.set_by_line_until(buffer.offset_of(self.parsed));
        self.parser.restart();
        self.parsed = 0;
        self.skipping = Some(Unreadable { line: buffer.position().line, reason });
        Ok(Step::Skipped)
    }

    fn keep_header(&mut self, written: &[u8]) -> Result<(), Error> {
        let columns = Columns::find(&self.parser, &self.fields)?;
        self.parser.expect_fields(columns.count);
        self.header = Some(Header { written: written.to_vec(), columns });
        Ok(())
    }
}

/// The values of the record that the parser has completed.
fn record<'a>(parser: &'a Parser, columns: &Columns) -> Record<'a> {
    let text = |index: Option<usize>| {
        let value = parser.field(index?)?;
        (!value.is_empty()).then(|| value.into())
    };
    let time = columns.time.and_then(|index| std::str::from_utf8(parser.field(index)?).ok());
    Record {
        token: text(Some(columns.token)),
        time: time.and_then(parse_seconds_or_date).unwrap_or(f64::NAN),
        method: text(columns.method),
        uri: text(columns.uri),
        proof: text(columns.proof),
    }
}

/// Whether something other than a comma or a line end comes after a quoted field of this record. `csv_core` would join
/// it to the field; mostly a stray quote has swallowed the records between it and the next quote.
fn has_text_after_quote(record: &[u8]) -> bool {
    if memchr(b'"', record).is_none() {
        return false;
    }
    let mut rest = record;
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let Some(after) = after_quoted(quoted) else { return false };
            if !matches!(after.first(), None | Some(b',' | b'\r' | b'\n')) {
                return true;
            }
            rest = after;
        }
        let next = memchr(b',', rest).and_then(|comma| rest.get(comma + 1..));
        let Some(next) = next else { return false };
        rest = next;
    }
}

/// What comes after the closing quote of a field, which is read from after its opening quote.
fn after_quoted(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        rest = rest.get(memchr(b'"', rest)? + 1..)?;
        match rest.strip_prefix(b"\"") {
            Some(more) => rest = more,
            None => return Some(rest),
        }
    }
}

/// Skips blank lines, and the LF of a CRLF whose CR has ended a record.
fn skip_line_ends(buffer: &mut Buffer) {
    let unread = buffer.unread();
    let length = unread.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let line_ends = memchr_iter(b'\n', unread.get(..length).unwrap_or_default()).count();
    buffer.read(length, line_ends);
}
