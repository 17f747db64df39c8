//! What held at which time: an issuer's keys, and the requirements for tokens.

mod intervals;
mod keys;
mod policies;

pub use keys::{KeyEpoch, KeyHistory, KeyLayer, KeyState};
pub use policies::{PolicyEpoch, PolicyHistory};

use intervals::Intervals;
