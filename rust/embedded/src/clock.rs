//! The system's time.

use std::time::{SystemTime, UNIX_EPOCH};

use watchword_kernel::UnixTime;

/// The time of the system's clock; `None` if that is not a time.
pub(crate) fn now() -> Option<UnixTime> {
    UnixTime::new(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    })
}
