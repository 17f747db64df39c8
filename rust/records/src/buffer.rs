//! The input that has arrived and has not been read yet.

use std::fmt;

use memchr::memchr;

use crate::reason::Reason;
use crate::rows::Position;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether more input can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    No,
    /// What follows the last line end is a line, too.
    Complete,
    /// What follows the last line end is part of a line.
    BrokenOff,
}

/// Where the next line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// After so many bytes, its LF among them, if it has one.
    After(usize),
    /// It is longer than the limit, whether or not its end has arrived.
    TooLong,
    NeedsInput,
}

/// The input that has arrived and has not been read yet.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Where the unread bytes begin.
    start: usize,
    /// How many of the unread bytes are known to be without a line end.
    searched: usize,
    /// Of the first unread byte.
    position: Position,
    pub(crate) ended: Ended,
}

impl fmt::Debug for Buffer {
    /// Shows the position, not the bytes, which have tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes at {:?}, ended: {:?})", self.unread().len(), self.position, self.ended)
    }
}

impl Buffer {
    pub(crate) fn new(position: Position) -> Self {
        Self { bytes: Vec::new(), start: 0, searched: 0, position, ended: Ended::No }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        // Moving the unread bytes only if there are fewer of them than read ones costs a constant time a byte.
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn set_by_line_until(&mut self, offset: u64) {
        self.position.by_line_until = self.position.by_line_until.max(offset);
    }

    /// Whether CSV is read line by line here.
    pub(crate) fn is_by_line(&self) -> bool {
        self.position.offset < self.position.by_line_until
    }

    /// The offset of the unread byte at this index.
    pub(crate) fn offset_of(&self, index: usize) -> u64 {
        self.position.offset.saturating_add(as_u64(index))
    }

    /// Reads `length` bytes, among which there are `line_ends` LFs.
    pub(crate) fn read(&mut self, length: usize, line_ends: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(length).min(self.bytes.len());
        self.searched = self.searched.saturating_sub(length);
        self.position.offset = self.position.offset.saturating_add(as_u64(self.start - from));
        self.position.line = self.position.line.saturating_add(as_u64(line_ends));
        self.bytes.get(from..self.start).unwrap_or_default()
    }

    /// Skips a byte order mark at the beginning of the input; whether enough has arrived to tell.
    pub(crate) fn skip_byte_order_mark(&mut self) -> bool {
        if self.position.offset > 0 {
            return true;
        }
        if self.unread().starts_with(BYTE_ORDER_MARK) {
            self.read(BYTE_ORDER_MARK.len(), 0);
            return true;
        }
        self.ended != Ended::No || !BYTE_ORDER_MARK.starts_with(self.unread())
    }

    /// Where the next line ends, which may have `limit` bytes without its LF. There is at least one unread byte.
    pub(crate) fn line_end(&mut self, limit: usize) -> LineEnd {
        let unread = self.bytes.get(self.start..).unwrap_or_default();
        let found = memchr(b'\n', unread.get(self.searched..).unwrap_or_default());
        let length = found.map_or(unread.len(), |index| self.searched + index);
        self.searched = length;
        match found {
            _ if length > limit => LineEnd::TooLong,
            Some(_) => LineEnd::After(length + 1),
            None if self.ended != Ended::No => LineEnd::After(length),
            None => LineEnd::NeedsInput,
        }
    }

    /// Skips the rest of a line; whether its end has arrived.
    pub(crate) fn skip_line(&mut self) -> bool {
        match self.line_end(usize::MAX) {
            LineEnd::After(length) => {
                let has_line_end = self.unread().get(..length).is_some_and(|line| line.ends_with(b"\n"));
                self.read(length, usize::from(has_line_end));
                true
            }
            LineEnd::TooLong | LineEnd::NeedsInput => {
                self.read(self.unread().len(), 0);
                false
            }
        }
    }

    /// Why a record that the end of the input ends is unreadable, if it is.
    pub(crate) fn broken_off(&self) -> Option<Reason> {
        (self.ended == Ended::BrokenOff).then_some(Reason::BrokenOff)
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
