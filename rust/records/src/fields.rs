//! What to read: the format, and the names of the fields.

/// A text format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line. Each is strict JSON, as in [`watchword_kernel::json`], nested at most 128 deep.
    Ndjson,
    /// Comma-separated values (RFC 4180) with a header.
    ///
    /// As in the `csv` crate, a bare CR ends a record, too, and quotes inside an unquoted field are part of it. A record
    /// begins on the line given by the number of LFs before it.
    ///
    /// A quoted field that is not closed would hide all records after it. If it does not end within
    /// [`Limits::max_record_bytes`](crate::Limits), or before the end of the input, the line on which its record begins is an
    /// unreadable row, and what it would have contained is read line by line: there, a quoted field does not extend over
    /// lines. Two stray quotes do pair up: a record that they make has a token with line ends in it, which is malformed, or
    /// another number of fields than the header.
    Csv,
    /// One token a line, without a time. Spaces and CRs around it are removed.
    Lines,
}

/// The names of the fields of a record: members of a JSON object, or columns of a CSV file. Not used for [`Format::Lines`].
///
/// In JSON, if there is no member with a name that contains dots, the name is a path: `request.token` is the member
/// `token` of the object `request`. An absent or null member, or an empty CSV field, is an absent value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The token.
    pub token: String,
    /// The time of use: Unix seconds as a number or as decimal digits, or a date and time of RFC 3339.
    pub time: Option<String>,
    /// The method of the request, for a DPoP proof.
    pub method: Option<String>,
    /// The URI of the request, for a DPoP proof.
    pub uri: Option<String>,
    /// The DPoP proof.
    pub proof: Option<String>,
}
