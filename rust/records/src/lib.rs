//! Tokens and times of use from logs in text formats: bytes are pushed in, columns of rows come out.
//!
//! No I/O: the caller reads, decompresses and pushes ([`Reader::feed`]), and takes blocks of rows ([`Reader::take`]),
//! whose columns have the layout of Arrow's. Every line of the input is blank, a header, a row, part of a CSV record
//! over several lines, or an [`Unreadable`] row with its line and a reason: nothing is dropped silently, and an
//! unreadable row never ends the file. Which rows a block has depends on the input and the limits only, not on how the
//! bytes were divided.

mod buffer;
mod column_time;
mod csv;
mod error;
mod fields;
mod lines;
mod ndjson;
mod reader;
mod reason;
pub mod rfc3339;
mod rows;
mod step;

pub use error::Error;
pub use fields::{Fields, Format};
pub use reader::{Limits, Reader};
pub use reason::Reason;
pub use rows::{Position, Rows, TextColumn, Unreadable};
