//! The system's time.

use std::time::SystemTime;

use watchword_kernel::UnixTime;

/// The time of the system's clock.
pub(crate) fn now() -> UnixTime {
    SystemTime::now().into()
}
