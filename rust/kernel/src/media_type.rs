//! The header's `typ`: a media type, usually written without "application/" (RFC 7515 section 4.1.9).

/// A `typ` in its canonical form: lower case, without "application/" where nothing else needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType(String);

impl MediaType {
    pub(crate) fn new(typ: &str) -> Self {
        let lower = typ.to_ascii_lowercase();
        match lower.strip_prefix("application/") {
            Some(subtype) if !subtype.contains('/') => Self(subtype.to_owned()),
            _ => Self(lower),
        }
    }
}
