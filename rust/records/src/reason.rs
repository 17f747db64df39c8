//! Why a record is unreadable.

use std::fmt;

use watchword_kernel::json::ErrorKind;

/// Why a record is unreadable. Its text is stable, and never quotes the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The record is longer than [`Limits::max_record_bytes`](crate::Limits).
    TooLong,
    /// The input is known to be incomplete, and ends within the record ([`Reader::break_off`](crate::Reader)).
    BrokenOff,
    /// The line is not UTF-8.
    NotUtf8,
    /// The line is not JSON, or has more than one value.
    NotJson,
    /// The line is JSON, but not an object.
    NotAnObject,
    /// A byte order mark that is not at the beginning of the input.
    ByteOrderMark,
    /// A lone surrogate in a JSON string.
    LoneSurrogate,
    /// A JSON object with a repeated member name.
    DuplicateMember,
    /// JSON that nests too deeply.
    TooDeep,
    /// A JSON number beyond the range of a double, or written with too many characters.
    NumberOutOfRange,
    /// The token is neither a JSON string nor null.
    TokenNotAString,
    /// The method is neither a JSON string nor null.
    MethodNotAString,
    /// The URI is neither a JSON string nor null.
    UriNotAString,
    /// The proof is neither a JSON string nor null.
    ProofNotAString,
    /// A CSV record has another number of fields than the header.
    FieldCount,
    /// Something other than a comma or a line end comes after a quoted CSV field.
    TextAfterQuote,
    /// A quoted CSV field does not end within the limit of a record, or before the end of the input.
    QuoteNotClosed,
}

impl Reason {
    /// The reason as a short phrase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "the record is too long",
            Self::BrokenOff => "the input ends within the record",
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::NotAnObject => "not a JSON object",
            Self::ByteOrderMark => "a byte order mark before the JSON object",
            Self::LoneSurrogate => "a lone surrogate in a JSON string",
            Self::DuplicateMember => "a repeated member name",
            Self::TooDeep => "JSON nested too deeply",
            Self::NumberOutOfRange => "a JSON number out of range",
            Self::TokenNotAString => "the token is not a string",
            Self::MethodNotAString => "the method is not a string",
            Self::UriNotAString => "the URI is not a string",
            Self::ProofNotAString => "the proof is not a string",
            Self::FieldCount => "another number of fields than the header",
            Self::TextAfterQuote => "text after a quoted field",
            Self::QuoteNotClosed => "a quoted field is not closed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ErrorKind> for Reason {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Syntax | ErrorKind::TrailingBytes => Self::NotJson,
            ErrorKind::ByteOrderMark => Self::ByteOrderMark,
            ErrorKind::InvalidUtf8 => Self::NotUtf8,
            ErrorKind::LoneSurrogate => Self::LoneSurrogate,
            ErrorKind::DuplicateMember => Self::DuplicateMember,
            ErrorKind::TooDeep => Self::TooDeep,
            ErrorKind::NumberOutOfRange => Self::NumberOutOfRange,
            ErrorKind::NotAnObject => Self::NotAnObject,
        }
    }
}
