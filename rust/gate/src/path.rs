//! The path of a request, normalised once: routes and proofs are compared with the same form.
//!
//! The normal form is that of RFC 3986 section 6.2.2 and of [`TargetUri`](watchword_kernel::dpop::TargetUri): unreserved
//! characters are not percent-encoded, all others are as the client sent them, with upper-case digits. Nothing is resolved
//! or removed: a path that two parsers could read differently is rejected instead.

use std::borrow::Cow;
use std::fmt;

/// The maximum length of a path, in bytes.
pub const MAX_PATH: usize = 8 * 1024;

/// A path in normal form. It begins with a slash, and has no empty segment but possibly the last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NormalPath(String);

/// Why a path is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// It does not begin with a slash: `*`, or a URI in absolute form (RFC 9112 section 3.2).
    NotOriginForm,
    /// Longer than [`MAX_PATH`] bytes.
    TooLong,
    /// It has an empty segment, as in `//`.
    EmptySegment,
    /// It has a segment `.` or `..`, or a percent-encoded dot.
    DotSegment,
    /// It has a `;`, which some parsers take for the end of the segment.
    Parameter,
    /// It has a percent-encoded slash or backslash.
    EncodedSlash,
    /// It has a percent sign that is encoded, so that it could be decoded twice.
    DoubleEncoding,
    /// It has a percent sign without two hexadecimal digits after it.
    PercentEncoding,
    /// It has a character that a path cannot have (RFC 3986 section 3.3), encoded control characters included.
    Character,
    /// What it encodes is not UTF-8.
    NotUtf8,
}

impl NormalPath {
    /// Reads a path, as it was received: without the query.
    ///
    /// # Errors
    /// [`PathError`] if it is not a path, or if two parsers could read it differently.
    pub fn parse(path: &[u8]) -> Result<Self, PathError> {
        if path.first() != Some(&b'/') {
            return Err(PathError::NotOriginForm);
        }
        if path.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        let normal = normalised(path)?;
        let mut segments = normal.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "" if segments.peek().is_some() => return Err(PathError::EmptySegment),
                "." | ".." => return Err(PathError::DotSegment),
                _ => {}
            }
        }
        Ok(Self(normal))
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, still percent-encoded: one empty segment for `/`, an empty last one after a slash at the end.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

/// The path of a target, and the query without the question mark.
pub fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|byte| *byte == b'?') {
        Some(end) => {
            let (path, query) = target.split_at(end);
            (path, query.get(1..))
        }
        None => (target, None),
    }
}

/// What a segment of a [`NormalPath`] encodes.
pub fn decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { encoded_byte(&mut bytes).unwrap_or(byte) } else { byte });
    }
    // Of a normal path it is UTF-8.
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn normalised(path: &[u8]) -> Result<String, PathError> {
    let mut normal = String::with_capacity(path.len());
    let mut encoded = Vec::new();
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let byte = encoded_byte(&mut bytes).ok_or(PathError::PercentEncoding)?;
            encoded.push(byte);
            match byte {
                b'/' | b'\\' => return Err(PathError::EncodedSlash),
                b'.' => return Err(PathError::DotSegment),
                b';' => return Err(PathError::Parameter),
                b'%' => return Err(PathError::DoubleEncoding),
                0..=0x1f | 0x7f => return Err(PathError::Character),
                byte if is_unreserved(byte) => normal.push(char::from(byte)),
                byte => push_encoded(&mut normal, byte),
            }
            continue;
        }
        // A sequence of encoded bytes is complete before the next character.
        check_utf8(&mut encoded)?;
        match byte {
            b';' => return Err(PathError::Parameter),
            b'/' => normal.push('/'),
            byte if is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte) => normal.push(char::from(byte)),
            _ => return Err(PathError::Character),
        }
    }
    check_utf8(&mut encoded)?;
    Ok(normal)
}

fn check_utf8(encoded: &mut Vec<u8>) -> Result<(), PathError> {
    if !encoded.is_empty() && std::str::from_utf8(encoded).is_err() {
        return Err(PathError::NotUtf8);
    }
    encoded.clear();
    Ok(())
}

/// The byte that two hexadecimal digits after a `%` encode.
pub(crate) fn encoded_byte(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high << 4 | low).ok()
}

/// Whether the character is unreserved (RFC 3986 section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

pub(crate) fn push_encoded(text: &mut String, byte: u8) {
    text.push('%');
    for digit in [byte >> 4, byte & 0xf] {
        text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOriginForm => "the target of the request must be a path that begins with a slash",
            Self::TooLong => "the path is too long",
            Self::EmptySegment => "the path has an empty segment, as in \"//\"",
            Self::DotSegment => "the path has a segment \".\" or \"..\", or an encoded dot",
            Self::Parameter => "the path has a semicolon",
            Self::EncodedSlash => "the path has an encoded slash or backslash",
            Self::DoubleEncoding => "the path has an encoded percent sign",
            Self::PercentEncoding => "the path has a percent sign without two hexadecimal digits",
            Self::Character => "the path has a character that a path cannot have",
            Self::NotUtf8 => "what the path encodes is not UTF-8",
        })
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_one_path() {
        for (sent, normal) in [
            ("/", "/"),
            ("/orders/1", "/orders/1"),
            ("/orders/", "/orders/"),
            ("/%6frders/%7e", "/orders/~"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a:b@c,d=e", "/a:b@c,d=e"),
            ("/a%20b", "/a%20b"),
            ("/...", "/..."),
        ] {
            assert_eq!(NormalPath::parse(sent.as_bytes()).map(|path| path.0), Ok(normal.to_owned()), "{sent}");
        }
    }

    #[test]
    fn a_path_with_two_readings_is_rejected() {
        use PathError::*;
        for (sent, error) in [
            ("", NotOriginForm),
            ("*", NotOriginForm),
            ("http://elsewhere.example/orders", NotOriginForm),
            ("//orders", EmptySegment),
            ("/orders//1", EmptySegment),
            ("/x/../orders", DotSegment),
            ("/orders/.", DotSegment),
            ("/..", DotSegment),
            ("/%2e%2e/orders", DotSegment),
            ("/orders/file%2Ejson", DotSegment),
            ("/orders;admin", Parameter),
            ("/orders%3badmin", Parameter),
            ("/orders%2f1", EncodedSlash),
            ("/orders%5C1", EncodedSlash),
            ("/orders\\1", Character),
            ("/%252e", DoubleEncoding),
            ("/100%25", DoubleEncoding),
            ("/%", PercentEncoding),
            ("/%4", PercentEncoding),
            ("/%zz", PercentEncoding),
            ("/%+1", PercentEncoding),
            ("/a b", Character),
            ("/a%00b", Character),
            ("/a%0d%0ab", Character),
            ("/a|b", Character),
            ("/a#b", Character),
            ("/caf\u{e9}", Character),
            ("/%ff", NotUtf8),
            ("/%c3/%a9", NotUtf8),
            ("/%c0%af", NotUtf8),
        ] {
            assert_eq!(NormalPath::parse(sent.as_bytes()), Err(error), "{sent}");
        }
        assert_eq!(NormalPath::parse("/a".repeat(MAX_PATH).as_bytes()), Err(TooLong));
    }
}
