//! Points in time, in Unix seconds. The kernel has no clock: the caller passes the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::json::Number;

/// The time at which a token is verified, in Unix seconds: a finite number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct UnixTime(f64);

impl From<SystemTime> for UnixTime {
    /// The time as a system shows it, which is finite.
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        })
    }
}

impl UnixTime {
    /// The time this many seconds after the epoch. `None` if the number is not finite.
    pub fn new(seconds: f64) -> Option<Self> {
        seconds.is_finite().then_some(Self(seconds))
    }

    /// The number of seconds since the epoch.
    pub fn seconds(self) -> f64 {
        self.0
    }
}

/// A NumericDate (RFC 7519 section 2): from the epoch to the year 9999.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumericDate {
    seconds: f64,
    whole: Option<i64>,
}

impl NumericDate {
    /// The last second of the year 9999. Later dates are milliseconds taken for seconds, or mean that a token never expires.
    pub const LAST: f64 = 253_402_300_799.0;

    pub(crate) fn new(number: Number<'_>) -> Option<Self> {
        let whole: Option<i64> = if number.is_integer() { number.as_str().parse().ok() } else { None };
        // Until the year 2106 a date fits 32 bits, which convert to a double without parsing the text again.
        let seconds = whole.and_then(|whole| u32::try_from(whole).ok()).map_or_else(|| number.as_f64(), f64::from);
        (0.0..=Self::LAST).contains(&seconds).then_some(Self { seconds, whole })
    }

    /// The date in Unix seconds.
    pub fn seconds(self) -> f64 {
        self.seconds
    }

    /// The date in Unix seconds, if it is written as an integer.
    pub fn whole_seconds(self) -> Option<i64> {
        self.whole
    }
}
