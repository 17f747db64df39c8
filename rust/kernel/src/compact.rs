//! The JWS compact form (RFC 7515 section 7.1): the only place that parses it.

use data_encoding::BASE64URL_NOPAD;

use crate::Error;

/// How long a token may be, in bytes of its encoded form. Judged before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The whole token.
    pub token: usize,
    /// Its first part, the header.
    pub header: usize,
}

impl Default for Limits {
    /// 16 KiB, of which the header may have 4 KiB.
    fn default() -> Self {
        Self { token: 16 * 1024, header: 4 * 1024 }
    }
}

/// A token taken apart and decoded; nothing of it is believed yet.
pub(crate) struct Compact<'a> {
    /// The decoded header: bytes that should be JSON.
    pub(crate) header: Vec<u8>,
    /// The decoded payload.
    pub(crate) payload: Vec<u8>,
    /// The decoded signature.
    pub(crate) signature: Vec<u8>,
    /// What is signed: the first two parts as they came, with the dot between them (RFC 7515 section 5.2).
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Compact<'a> {
    pub(crate) fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        if token.len() > limits.token {
            return Err(Error::TooLarge { part: "token", length: token.len(), limit: limits.token });
        }
        let header_length = token.iter().position(|&byte| byte == b'.').unwrap_or(token.len());
        if header_length > limits.header {
            return Err(Error::TooLarge { part: "header", length: header_length, limit: limits.header });
        }
        let [header, payload, signature] = split(token)?;
        // Never underflows: the signature and the dot before it are part of the token.
        let signed_length = token.len().saturating_sub(signature.len()).saturating_sub(1);
        Ok(Self {
            header: decode(header, "the header is not base64url (RFC 7515 section 2)")?,
            payload: decode(payload, "the payload is not base64url (RFC 7515 section 2)")?,
            signature: decode(signature, "the signature is not base64url (RFC 7515 section 2)")?,
            signing_input: token.get(..signed_length).unwrap_or_default(),
        })
    }
}

/// The three parts between the dots.
fn split(token: &[u8]) -> Result<[&[u8]; 3], Error> {
    let mut parts = token.split(|&byte| byte == b'.');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    match (first, second, third, parts.count()) {
        (Some(header), Some(payload), Some(signature), 0) => Ok([header, payload, signature]),
        (_, _, Some(_), 2) => Err(Error::Unsupported("the token is encrypted (JWE), and only signed tokens are read")),
        _ => Err(Error::MalformedToken("a token has three parts with a dot between them")),
    }
}

/// Strict base64url: no padding, no white space, no unused bits set, no other alphabet.
fn decode(part: &[u8], complaint: &'static str) -> Result<Vec<u8>, Error> {
    BASE64URL_NOPAD.decode(part).map_err(|_| Error::MalformedToken(complaint))
}
