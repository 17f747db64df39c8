//! Why a whole input cannot be read.

use std::fmt;

/// Why a whole input cannot be read, or not in the way that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The header of a CSV file lacks a column.
    MissingColumn {
        /// The column.
        name: String,
        /// The columns that are there: a bounded text that quotes only what looks like a name.
        columns: String,
    },
    /// The header of a CSV file has a column more than once.
    RepeatedColumn(String),
    /// The header of a CSV file is longer than 1 MiB, or has a quoted field that is not closed or has text after it.
    UnreadableHeader,
    /// A CSV file was to be read from a place after its header, without the header.
    NoHeader,
    /// [`Reader::feed`](crate::Reader::feed) was called after the end of the input.
    Finished,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn { name, columns } => {
                write!(f, "the header has no column {name:?}; its columns are: {columns}")
            }
            Self::RepeatedColumn(name) => write!(f, "the header has the column {name:?} more than once"),
            Self::UnreadableHeader => {
                f.write_str("the first line is not a CSV header: it is too long, or is not quoted correctly")
            }
            Self::NoHeader => f.write_str("to resume within a CSV file, pass its header"),
            Self::Finished => f.write_str("bytes were fed after the end of the input"),
        }
    }
}

impl std::error::Error for Error {}
