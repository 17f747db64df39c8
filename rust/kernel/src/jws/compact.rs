//! The JWS compact form (RFC 7515 section 7.1): the only place that parses it.

use super::base64url::decode_onto;
use crate::error::Error;
use crate::heap::vector;

/// The longest token, in bytes of its encoded form. Checked before anything is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The whole token.
    pub token: usize,
    /// Its first part, the header.
    pub header: usize,
}

impl Default for Limits {
    /// 16 KiB, and 4 KiB for the header.
    fn default() -> Self {
        Self { token: 16 * 1024, header: 4 * 1024 }
    }
}

/// A token split into its parts and decoded; nothing of it is verified yet.
pub(crate) struct Compact<'a> {
    /// The three parts, decoded.
    pub(crate) decoded: Decoded,
    /// What is signed: the first two parts as they were sent, with the dot between them (RFC 7515 section 5.2).
    pub(crate) signing_input: &'a [u8],
}

/// Header, payload and signature, in one allocation.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    bytes: Vec<u8>,
    payload_at: usize,
    signature_at: usize,
}

impl<'a> Compact<'a> {
    pub(crate) fn parse(token: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        if token.len() > limits.token {
            return Err(Error::TooLarge { part: "token", length: token.len(), limit: limits.token });
        }
        let first_dot = memchr::memchr(b'.', token).unwrap_or(token.len());
        if first_dot > limits.header {
            return Err(Error::TooLarge { part: "header", length: first_dot, limit: limits.header });
        }
        // The part between the first dot and the last is not searched for others: a dot is not base64url.
        let last_dot = memchr::memrchr(b'.', token).unwrap_or(token.len());
        let malformed = |complaint| move || malformed(token, complaint);
        let header = token.get(..first_dot).ok_or_else(malformed(SHAPE))?;
        let payload = token.get(first_dot.saturating_add(1)..last_dot).ok_or_else(malformed(SHAPE))?;
        let signature = token.get(last_dot.saturating_add(1)..).ok_or_else(malformed(SHAPE))?;

        let mut bytes = Vec::with_capacity(token.len());
        decode_onto(header, &mut bytes).ok_or_else(malformed("the header is not base64url (RFC 7515 section 2)"))?;
        let payload_at = bytes.len();
        decode_onto(payload, &mut bytes).ok_or_else(malformed("the payload is not base64url (RFC 7515 section 2)"))?;
        let signature_at = bytes.len();
        decode_onto(signature, &mut bytes)
            .ok_or_else(malformed("the signature is not base64url (RFC 7515 section 2)"))?;
        let signing_input = token.get(..last_dot).unwrap_or_default();
        Ok(Self { decoded: Decoded { bytes, payload_at, signature_at }, signing_input })
    }
}

impl Decoded {
    /// The header: bytes that should be JSON.
    pub(crate) fn header(&self) -> &[u8] {
        self.bytes.get(..self.payload_at).unwrap_or_default()
    }

    /// Drops spare capacity: the decoded form is shorter than the encoded one.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// The bytes that it takes on the heap.
    pub(crate) fn heap(&self) -> usize {
        vector::<u8>(self.bytes.capacity())
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes.get(self.payload_at..self.signature_at).unwrap_or_default()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        self.bytes.get(self.signature_at..).unwrap_or_default()
    }
}

const SHAPE: &str = "a token has three parts with a dot between them";

/// The error of a token that cannot be parsed: about the number of its parts, if that is wrong, else the complaint.
fn malformed(token: &[u8], complaint: &'static str) -> Error {
    match memchr::memchr_iter(b'.', token).count() {
        2 => Error::MalformedToken(complaint),
        4 => Error::Unsupported("the token is encrypted (JWE), and only signed tokens are read"),
        _ => Error::MalformedToken(SHAPE),
    }
}
