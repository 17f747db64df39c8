//! What to read: the format, and the names of the fields.

/// A text format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line. Each is strict JSON, as in [`watchword_kernel::json`], nested at most 128 deep.
    Ndjson,
    /// Comma-separated values (RFC 4180) with a header.
    ///
    /// A quote within an unquoted field is part of it; text after a quoted field makes the record unreadable. A bare CR
    /// ends a record, too; the number of a line is that of the LFs before it.
    ///
    /// A stray quote would hide the records up to the next one. Therefore, if a record over several lines is
    /// unreadable, only its first line is an unreadable row, and those after it are read line by line: among them a
    /// quoted field must end on its line. So it is with another number of fields than the header, with text after a
    /// quoted field, and with a field that does not end within [`Limits::max_record_bytes`](crate::Limits) or before
    /// the end of the input. Two stray quotes that make a correct record cannot be told from a field over several
    /// lines.
    Csv,
    /// One token a line, without a time. Spaces and CRs around it are removed.
    Lines,
}

/// The names of the fields of a record: members of a JSON object, or columns of a CSV file. Not used for
/// [`Format::Lines`].
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
