//! Lines, for the formats that have one record a line.

use crate::buffer::{Buffer, Ended, LineEnd};
use crate::reason::Reason;
use crate::rows::Unreadable;
use crate::step::{Record, Step};

/// Divides the input into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The number of the overlong line whose rest is being skipped.
    skipping: Option<u64>,
}

/// A line, or why there is none.
pub(crate) enum Line<'a> {
    /// The line and its number.
    Whole(u64, &'a [u8]),
    Unreadable(Unreadable),
    NeedsInput,
    End,
}

impl Lines {
    pub(crate) fn next<'a>(&mut self, buffer: &'a mut Buffer, limit: usize) -> Line<'a> {
        if let Some(line) = self.skipping {
            // Counted when its end is known: where a block ends must not depend on how the bytes arrive.
            if !buffer.skip_line() && buffer.ended == Ended::No {
                return Line::NeedsInput;
            }
            self.skipping = None;
            return Line::Unreadable(Unreadable { line, reason: Reason::TooLong });
        }
        if buffer.unread().is_empty() {
            return if buffer.ended == Ended::No { Line::NeedsInput } else { Line::End };
        }
        let number = buffer.position().line;
        match buffer.line_end(limit) {
            LineEnd::NeedsInput => Line::NeedsInput,
            LineEnd::TooLong => {
                self.skipping = Some(number);
                self.next(buffer, limit)
            }
            LineEnd::After(length) => {
                let broken_off = buffer.broken_off();
                let has_line_end = buffer.unread().get(..length).is_some_and(|line| line.ends_with(b"\n"));
                let line = buffer.read(length, usize::from(has_line_end));
                match broken_off {
                    Some(reason) if !has_line_end => Line::Unreadable(Unreadable { line: number, reason }),
                    _ => Line::Whole(number, line.strip_suffix(b"\n").unwrap_or(line)),
                }
            }
        }
    }

    /// The next record of [`Format::Lines`](crate::Format).
    pub(crate) fn token<'a>(&mut self, buffer: &'a mut Buffer, limit: usize) -> Step<'a> {
        match self.next(buffer, limit) {
            Line::Whole(number, line) => match trim(line, |byte| matches!(byte, b' ' | b'\r')) {
                [] => Step::Skipped,
                token => Step::Row(
                    number,
                    Record { token: Some(token.into()), time: f64::NAN, method: None, uri: None, proof: None },
                ),
            },
            Line::Unreadable(unreadable) => Step::Unreadable(unreadable),
            Line::NeedsInput => Step::NeedsInput,
            Line::End => Step::End,
        }
    }
}

/// Without the bytes at both ends that `is_space` finds.
pub(crate) fn trim(mut line: &[u8], is_space: impl Fn(u8) -> bool) -> &[u8] {
    while let Some((&first, rest)) = line.split_first()
        && is_space(first)
    {
        line = rest;
    }
    while let Some((&last, rest)) = line.split_last()
        && is_space(last)
    {
        line = rest;
    }
    line
}
