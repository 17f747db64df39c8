//! A row of a log: a token, when it was used, and what was sent with it.

use std::fmt;

use crate::time::{NumericDate, UnixTime};

/// A use of a token, as a log has it.
#[derive(Clone, Copy)]
pub struct AuditRow<'a> {
    /// The token; `None` if the log has none in this row.
    pub token: Option<&'a [u8]>,
    /// When it was used, see [`time_of_use`]; `None` if the log has no valid time in this row.
    pub time: Option<UnixTime>,
    /// The DPoP proof that was sent with it, and the request.
    pub request: Option<AuditedRequest<'a>>,
}

/// A request that has a DPoP proof, as a log has it. A method or a URI that is absent matches that of no proof.
#[derive(Clone, Copy)]
pub struct AuditedRequest<'a> {
    /// The proof: the value of the `DPoP` header.
    pub proof: &'a [u8],
    /// The method.
    pub method: &'a [u8],
    /// The absolute URI.
    pub uri: &'a [u8],
}

/// The time of these Unix seconds, if a token can have been used then: from the epoch to the year 9999.
pub fn time_of_use(seconds: f64) -> Option<UnixTime> {
    UnixTime::new(seconds).filter(|time| (0.0..=NumericDate::LAST).contains(&time.seconds()))
}

impl fmt::Debug for AuditRow<'_> {
    /// Shows the time and the size of the token, nothing of what was sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditRow")
            .field("token_bytes", &self.token.map(<[u8]>::len))
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuditedRequest<'_> {
    /// Shows nothing of what was sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedRequest").finish_non_exhaustive()
    }
}
