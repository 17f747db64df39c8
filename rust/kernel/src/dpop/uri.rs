//! The URI of a request in normal form (RFC 9449 section 4.3, RFC 3986 section 6.2).
//!
//! Query and fragment are removed. Scheme and host become lower case, the default port is removed, unreserved characters
//! are not percent-encoded, all others are, with upper-case digits; dot segments are resolved, an empty path becomes `/`. A
//! host in another script gets its IDNA form (UTS 46, non-transitional). Slashes are unchanged: `//` is not `/`, and `%2F`
//! is neither.
//!
//! Unlike browsers, this parser does not guess: before the path, anything that RFC 3986 does not allow is an error. In the
//! path, characters that it does not allow (such as `|`, which browsers send unchanged) equal their percent-encoding.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use idna::AsciiDenyList;

/// The maximum length of a URI up to its query, in bytes.
pub const MAX_URI: usize = 16 * 1024;

/// The maximum length of a host, in bytes. A DNS name has at most 253; one in another script may be longer before it is
/// encoded. The limit also bounds the encoding, whose time grows with the square of a label's length.
pub const MAX_HOST: usize = 1024;

/// The normalised URI of a request without query and fragment: two are equal if they identify the same target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetUri(String);

/// Why a text is not the URI of an HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriError {
    /// It does not begin with `http://` or `https://`.
    NotHttp,
    /// Longer than [`MAX_URI`] bytes.
    TooLong,
    /// A user name or password before the host, which a target URI never has (RFC 9110 section 4.2.4).
    UserInfo,
    /// The host is missing, too long or malformed.
    Host,
    /// The port is not a number below 65536.
    Port,
    /// A `%` without two hexadecimal digits.
    PercentEncoding,
    /// A space or control character in the path.
    Path,
}

impl TargetUri {
    /// Reads and normalises a URI.
    ///
    /// # Errors
    /// [`UriError`] if it is not an absolute `http` or `https` URI.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        let (scheme, rest) = split_scheme(uri).ok_or(UriError::NotHttp)?;
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (target, _) = rest.split_at(end);
        if target.len() > MAX_URI {
            return Err(UriError::TooLong);
        }
        let (authority, path) = target.split_at(target.find('/').unwrap_or(target.len()));
        if authority.contains('@') {
            return Err(UriError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let mut normalised = format!("{}://{}", scheme.name, host_name(host)?);
        if let Some(port) = port_number(port)?.filter(|&port| port != scheme.port) {
            normalised.push(':');
            normalised.push_str(&port.to_string());
        }
        push_path(&mut normalised, &encoded_path(path)?);
        Ok(Self(normalised))
    }

    /// Whether the URI begins with `http://` or `https://`. The rest is not checked.
    pub fn has_scheme(uri: &str) -> bool {
        split_scheme(uri).is_some()
    }

    /// The normalised form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

struct Scheme {
    name: &'static str,
    port: u16,
}

const SCHEMES: [Scheme; 2] = [Scheme { name: "http", port: 80 }, Scheme { name: "https", port: 443 }];

fn split_scheme(uri: &str) -> Option<(&'static Scheme, &str)> {
    let (name, rest) = uri.split_once("://")?;
    let scheme = SCHEMES.iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name))?;
    Some((scheme, rest))
}

/// Splits host and port. The colons of an IPv6 address are inside its brackets.
fn split_port(authority: &str) -> Result<(&str, &str), UriError> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(UriError::Host)?;
        let (host, port) = authority.split_at(end.saturating_add(1));
        return match port.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if port.is_empty() => Ok((host, "")),
            None => Err(UriError::Host),
        };
    }
    Ok(authority.split_once(':').unwrap_or((authority, "")))
}

fn port_number(port: &str) -> Result<Option<u16>, UriError> {
    if port.is_empty() {
        return Ok(None);
    }
    // `parse` alone accepts a sign.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UriError::Port);
    }
    port.parse().map(Some).map_err(|_| UriError::Port)
}

fn host_name(host: &str) -> Result<Cow<'_, str>, UriError> {
    if host.len() > MAX_HOST {
        return Err(UriError::Host);
    }
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = literal.parse().map_err(|_| UriError::Host)?;
        return Ok(Cow::Owned(format!("[{address}]")));
    }
    let decoded = percent_decoded(host)?;
    let name = match decoded.is_ascii() {
        true => decoded.to_ascii_lowercase(),
        false => {
            idna::domain_to_ascii_cow(decoded.as_bytes(), AsciiDenyList::URL).map_err(|_| UriError::Host)?.into_owned()
        }
    };
    // The reg-name of RFC 3986 section 3.2.2, decoded.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    // The encoded form may be longer than the input. It has the same limit, so that normalising it again succeeds.
    let is_host = name.len() <= MAX_HOST && name.bytes().all(is_name) && name.bytes().any(|byte| byte != b'.');
    if is_host { Ok(Cow::Owned(name)) } else { Err(UriError::Host) }
}

fn percent_decoded(text: &str) -> Result<Cow<'_, str>, UriError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { encoded_byte(&mut bytes)? } else { byte });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| UriError::Host)
}

/// The byte that two hexadecimal digits after a `%` encode.
fn encoded_byte(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, UriError> {
    let mut digit = || {
        let digit = bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(UriError::PercentEncoding)
    };
    Ok(digit()? << 4 | digit()?)
}

/// The path with each character in its normal form: itself, or percent-encoded.
fn encoded_path(path: &str) -> Result<String, UriError> {
    let mut encoded = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => match encoded_byte(&mut bytes)? {
                byte if is_unreserved(byte) => encoded.push(char::from(byte)),
                byte => push_encoded(&mut encoded, byte),
            },
            0..=b' ' | 0x7f => return Err(UriError::Path),
            byte if is_unreserved(byte) || b"/!$&'()*+,;=:@".contains(&byte) => encoded.push(char::from(byte)),
            byte => push_encoded(&mut encoded, byte),
        }
    }
    Ok(encoded)
}

/// Whether the character is unreserved (RFC 3986 section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn push_encoded(text: &mut String, byte: u8) {
    text.push('%');
    for digit in [byte >> 4, byte & 0xf] {
        text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
    }
}

/// Appends the path without dot segments (RFC 3986 section 5.2.4), in one pass: a `..` removes the segment before it.
fn push_path(uri: &mut String, path: &str) {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_dots = false;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        ends_in_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    // `/a/b/..` is `/a/`: the last dot segment denotes a directory.
    if ends_in_dots || segments.is_empty() {
        segments.push("");
    }
    for segment in segments {
        uri.push('/');
        uri.push_str(segment);
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp => "not an absolute http or https URI",
            Self::TooLong => "the URI is too long",
            Self::UserInfo => "the URI has a user name",
            Self::Host => "the host is missing or malformed",
            Self::Port => "the port is malformed",
            Self::PercentEncoding => "a percent sign is not followed by two hexadecimal digits",
            Self::Path => "the path contains a space or control character",
        })
    }
}

impl std::error::Error for UriError {}
