//! Records of `csv_core`, with room for their fields.

use std::fmt;

use csv_core::ReadRecordResult;

/// Parses one record at a time, in pieces.
pub(super) struct Parser {
    core: csv_core::Reader,
    /// The values of the fields one after the other, and room for more.
    values: Vec<u8>,
    written: usize,
    /// Where each field ends. With a known number of fields there is room for one more, which is used for all others.
    ends: Vec<usize>,
    count: usize,
    /// Whether the number of fields is known.
    is_fixed: bool,
    /// Whether the last record is complete.
    is_complete: bool,
}

impl fmt::Debug for Parser {
    /// Shows the number of fields, not their values, which may be tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parser({} fields)", self.count)
    }
}

impl Parser {
    pub(super) fn new() -> Self {
        let mut parser = Self {
            core: csv_core::Reader::new(),
            values: vec![0; 1024],
            written: 0,
            ends: vec![0; 16],
            count: 0,
            is_fixed: false,
            is_complete: true,
        };
        parser.restart();
        parser
    }

    /// Forgets what was parsed of a record.
    pub(super) fn restart(&mut self) {
        self.core.reset();
        // Otherwise it would skip a byte order mark, which only the beginning of an input has.
        self.core.read_record(b"\n", &mut [0], &mut [0]);
        self.is_complete = true;
    }

    /// Tells how many fields records will have.
    pub(super) fn expect_fields(&mut self, count: usize) {
        self.ends = vec![0; count.saturating_add(1)];
        self.is_fixed = true;
    }

    /// Parses up to the end of the record; how many bytes it used, and whether the record is complete.
    pub(super) fn parse(&mut self, input: &[u8]) -> (usize, bool) {
        if self.is_complete {
            (self.written, self.count, self.is_complete) = (0, 0, false);
        }
        let mut used = 0;
        while let Some(rest) = input.get(used..)
            && !rest.is_empty()
        {
            if self.count >= self.ends.len() && !self.is_fixed {
                self.ends.resize(self.ends.len() * 2, 0);
            }
            let first_end = self.count.min(self.ends.len().saturating_sub(1));
            let (Some(values), Some(ends)) = (self.values.get_mut(self.written..), self.ends.get_mut(first_end..))
            else {
                break;
            };
            let (result, read, written, ended) = self.core.read_record(rest, values, ends);
            used += read;
            self.written += written;
            self.count += ended;
            match result {
                ReadRecordResult::Record => {
                    self.is_complete = true;
                    return (used, true);
                }
                ReadRecordResult::OutputFull => self.values.resize(self.values.len() * 2, 0),
                ReadRecordResult::OutputEndsFull | ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
        (used, false)
    }

    /// Ends the line, which completes the record unless a quoted field is open: whether it does.
    pub(super) fn end_line(&mut self) -> bool {
        self.parse(b"\n").1
    }

    /// The number of fields of the record.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The value of a field of the record.
    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.values.get(start..*self.ends.get(index)?)
    }
}
