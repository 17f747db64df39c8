//! What a format yields next.

use std::borrow::Cow;

use crate::rows::Unreadable;

/// The values of one record.
pub(crate) struct Record<'a> {
    pub(crate) token: Option<Cow<'a, [u8]>>,
    pub(crate) time: f64,
    pub(crate) method: Option<Cow<'a, [u8]>>,
    pub(crate) uri: Option<Cow<'a, [u8]>>,
    pub(crate) proof: Option<Cow<'a, [u8]>>,
}

/// What a format yields next.
pub(crate) enum Step<'a> {
    /// A record, and the line on which it begins.
    Row(u64, Record<'a>),
    /// A record that cannot be read.
    Unreadable(Unreadable),
    /// Input that is not a record: blank lines, a header.
    Skipped,
    /// The next record is not complete yet.
    NeedsInput,
    /// The end of the input.
    End,
}
