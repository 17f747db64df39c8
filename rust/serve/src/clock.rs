//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

use watchword_kernel::UnixTime;

/// The time in Unix seconds.
pub(crate) fn unix_seconds() -> f64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// The same for the kernel; `None` for a clock that is not a finite number, which no system has.
pub(crate) fn now() -> Option<UnixTime> {
    UnixTime::new(unix_seconds())
}
