//! SPIFFE IDs, by the rules of the SPIFFE ID standard, section 2.

use std::fmt;

pub(crate) const SCHEME: &str = "spiffe://";

/// The longest SPIFFE ID, in bytes (section 2.3).
const LONGEST: usize = 2048;

/// The longest name of a trust domain, in bytes (section 2.1).
const LONGEST_TRUST_DOMAIN: usize = 255;

/// A SPIFFE ID: a trust domain, and the path of a workload in it. It has only one spelling.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpiffeId<'a> {
    trust_domain: &'a str,
    path: &'a str,
}

/// Why a text is not a SPIFFE ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpiffeIdError {
    /// It has more than 2048 bytes.
    TooLong,
    /// It does not begin with `spiffe://`, in lower case.
    Scheme,
    /// The trust domain is empty, longer than 255 bytes, or has a character that is not allowed.
    TrustDomain,
    /// A segment of the path is empty, a dot or two, or has a character that is not allowed.
    Segment,
}

impl<'a> SpiffeId<'a> {
    /// Reads `spiffe://trust-domain/path`. The path may be missing; a slash at the end is rejected.
    ///
    /// # Errors
    /// [`SpiffeIdError`] if the text is not a SPIFFE ID. User, port, query, fragment, percent-encoding and upper case in
    /// the trust domain are not allowed.
    pub fn parse(text: &'a str) -> Result<Self, SpiffeIdError> {
        if text.len() > LONGEST {
            return Err(SpiffeIdError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeIdError::Scheme)?;
        let (trust_domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !is_trust_domain(trust_domain) {
            return Err(SpiffeIdError::TrustDomain);
        }
        let id = Self { trust_domain, path };
        if id.segments().all(is_segment) { Ok(id) } else { Err(SpiffeIdError::Segment) }
    }

    /// The name of the trust domain.
    pub fn trust_domain(&self) -> &'a str {
        self.trust_domain
    }

    /// The segments of the path; none if it is the ID of the trust domain itself.
    pub fn segments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.path.split('/').skip(1)
    }

    /// Whether it has a path, as every workload's ID has.
    pub fn names_workload(&self) -> bool {
        !self.path.is_empty()
    }
}

/// What a text that begins as a SPIFFE ID states as its trust domain. Neither that nor the rest is checked.
pub(crate) fn trust_domain_in(text: &str) -> Option<&str> {
    text.strip_prefix(SCHEME)?.split('/').next()
}

/// Whether this is the name of a trust domain (section 2.1), without the scheme.
pub(crate) fn is_trust_domain(name: &str) -> bool {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=LONGEST_TRUST_DOMAIN).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether this is a segment of a path (section 2.2).
pub(crate) fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(text, "" | "." | "..") && text.bytes().all(allowed)
}

impl fmt::Display for SpiffeIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a SPIFFE ID has at most 2048 bytes",
            Self::Scheme => "a SPIFFE ID begins with spiffe://",
            Self::TrustDomain => {
                "the trust domain of a SPIFFE ID has 1 to 255 lower-case letters, digits, dots, dashes and underscores"
            }
            Self::Segment => {
                "a segment of a SPIFFE ID has letters, digits, dots, dashes and underscores, and is not one dot or two"
            }
        })
    }
}

impl std::error::Error for SpiffeIdError {}

impl fmt::Debug for SpiffeId<'_> {
    /// Shows the trust domain, not who the workload is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiffeId").field("trust_domain", &self.trust_domain).finish_non_exhaustive()
    }
}
