//! The reader: bytes in, blocks of rows out.

use crate::buffer::{Buffer, Ended};
use crate::csv::Csv;
use crate::error::Error;
use crate::fields::{Fields, Format};
use crate::lines::Lines;
use crate::ndjson::Ndjson;
use crate::rows::{Position, Rows};
use crate::step::Step;

/// Limits of what is held in memory. Each is at most [`Limits::LARGEST`]; a larger one counts as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes a record may have; a longer one is an unreadable row.
    pub max_record_bytes: usize,
    /// A block ends with the row with which its texts have so many bytes.
    pub max_block_bytes: usize,
}

impl Limits {
    /// The largest limit, in bytes: a block must have less than 2 GiB.
    pub const LARGEST: usize = (1 << 30) - 2;
}

impl Default for Limits {
    /// 16 MiB each.
    fn default() -> Self {
        Self { max_record_bytes: 16 << 20, max_block_bytes: 16 << 20 }
    }
}

/// Reads records from bytes that are pushed in.
///
/// Call [`feed`](Self::feed), then [`take`](Self::take) until it returns `None`, then `feed` again; at the end of the
/// input call [`finish`](Self::finish), and `take` until it returns `None`. Used in this way it holds one block, one
/// incomplete record, and what was last fed.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    buffer: Buffer,
    limits: Limits,
    /// The optional columns that are read: methods, URIs, proofs.
    columns: [bool; 3],
    block: Rows,
    failed: Option<Error>,
}

#[derive(Debug)]
enum Source {
    Ndjson(Ndjson),
    Csv(Box<Csv>),
    Lines(Lines),
}

impl Reader {
    /// A reader from the beginning of an input. A byte order mark there is skipped.
    pub fn new(format: Format, fields: Fields, limits: Limits) -> Self {
        Self::build(format, fields, limits, Position::START)
    }

    /// A reader that resumes at the [`ends`](Rows::ends) of a block. What is fed begins at its offset.
    ///
    /// # Errors
    /// If the format is CSV: the `header` (see [`header`](Self::header)) is absent, or lacks a column.
    pub fn resume_at(
        format: Format,
        fields: Fields,
        limits: Limits,
        position: Position,
        header: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let mut reader = Self::build(format, fields, limits, position);
        if let Source::Csv(csv) = &mut reader.source
            && position.offset > 0
        {
            csv.set_header(header.ok_or(Error::NoHeader)?)?;
        }
        Ok(reader)
    }

    /// Adds bytes of the input.
    ///
    /// # Errors
    /// If the input was ended before.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.buffer.ended != Ended::No {
            return Err(Error::Finished);
        }
        self.buffer.feed(bytes);
        Ok(())
    }

    /// Ends the input. If its last line has no line end, it is a record all the same.
    pub fn finish(&mut self) {
        self.end(Ended::Complete);
    }

    /// Ends an input that is known to be incomplete, such as a truncated gzip file. If its last line has no line end,
    /// it is an unreadable row: a part of a token must not be taken for one.
    pub fn break_off(&mut self) {
        self.end(Ended::BrokenOff);
    }

    /// Takes the next block, of `max_rows` rows (at least 1), readable or not. It has fewer if it reaches the limit of
    /// bytes, or if the input ends. `None` if no block is complete yet, or at the end of the input.
    ///
    /// # Errors
    /// If the header of a CSV file is unreadable, or lacks a column; again on each call.
    pub fn take(&mut self, max_rows: usize) -> Result<Option<Rows>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if !self.buffer.skip_byte_order_mark() {
            return Ok(None);
        }
        while self.block.records() < max_rows.max(1) && self.block.text_bytes() < self.limits.max_block_bytes.max(1) {
            match self.step() {
                Ok(true) => {}
                Ok(false) if self.buffer.ended == Ended::No || self.block.is_empty() => return Ok(None),
                Ok(false) => break,
                Err(error) => {
                    self.failed = Some(error.clone());
                    return Err(error);
                }
            }
        }
        self.block.ends = self.buffer.position();
        let next = Rows::empty(self.block.ends, self.columns);
        Ok(Some(std::mem::replace(&mut self.block, next)))
    }

    /// The header of a CSV file as it is written, once it was read.
    pub fn header(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Csv(csv) => csv.header(),
            Source::Ndjson(_) | Source::Lines(_) => None,
        }
    }

    /// How far the input was read: at its end, after the last [`take`](Self::take), the end of the input.
    pub fn position(&self) -> Position {
        self.buffer.position()
    }

    fn build(format: Format, fields: Fields, limits: Limits, position: Position) -> Self {
        let limits = Limits {
            max_record_bytes: limits.max_record_bytes.min(Limits::LARGEST),
            max_block_bytes: limits.max_block_bytes.min(Limits::LARGEST),
        };
        let is_named = |name: &Option<String>| name.is_some() && format != Format::Lines;
        let columns = [&fields.method, &fields.uri, &fields.proof].map(is_named);
        let source = match format {
            Format::Ndjson => Source::Ndjson(Ndjson::new(fields)),
            Format::Csv => Source::Csv(Box::new(Csv::new(fields))),
            Format::Lines => Source::Lines(Lines::default()),
        };
        let (buffer, block) = (Buffer::new(position), Rows::empty(position, columns));
        Self { source, buffer, limits, columns, block, failed: None }
    }

    fn end(&mut self, how: Ended) {
        if self.buffer.ended == Ended::No {
            self.buffer.ended = how;
        }
    }

    /// Reads one record; whether there may be another one in what has arrived.
    fn step(&mut self) -> Result<bool, Error> {
        let (buffer, limit) = (&mut self.buffer, self.limits.max_record_bytes);
        let step = match &mut self.source {
            Source::Ndjson(ndjson) => ndjson.next(buffer, limit),
            Source::Csv(csv) => csv.next(buffer, limit)?,
            Source::Lines(lines) => lines.token(buffer, limit),
        };
        match step {
            Step::Row(line, record) => self.block.push(line, &record),
            Step::Unreadable(unreadable) => self.block.unreadable.push(unreadable),
            Step::Skipped => {}
            Step::NeedsInput | Step::End => return Ok(false),
        }
        Ok(true)
    }
}
