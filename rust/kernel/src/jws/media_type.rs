//! The header's `typ`: a media type, usually written without "application/" (RFC 7515 section 4.1.9).

/// A `typ` in its canonical form: lower case, without "application/" unless the rest has a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType(String);

impl MediaType {
    pub(crate) fn new(typ: &str) -> Self {
        Self(shortened(typ).to_ascii_lowercase())
    }

    /// Whether `typ` has this canonical form.
    pub(crate) fn is(&self, typ: &str) -> bool {
        shortened(typ).eq_ignore_ascii_case(&self.0)
    }
}

/// `typ` without "application/", unless the rest has a slash.
fn shortened(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case(PREFIX) && !subtype.contains('/') => subtype,
        _ => typ,
    }
}
