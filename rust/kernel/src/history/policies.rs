//! The requirements for tokens over time.

use std::sync::Arc;

use super::Intervals;
use crate::policy::{Policy, PolicyError};
use crate::scope::PlainScopes;
use crate::time::UnixTime;

/// A time in which one policy holds: what a token must fulfil if it is used then.
#[derive(Debug, Clone)]
pub struct PolicyEpoch {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The scopes that the token must have, all of them.
    pub scopes: PlainScopes,
}

/// The requirements over all time.
#[derive(Debug, Clone)]
pub struct PolicyHistory {
    intervals: Intervals<PolicyEpoch>,
}

impl PolicyHistory {
    /// `first` from the beginning of time, and each of the later ones from its start in Unix seconds until that of the
    /// next.
    ///
    /// # Errors
    /// [`PolicyError`] if the starts are not finite or do not ascend.
    pub fn new(first: PolicyEpoch, later: Vec<(f64, PolicyEpoch)>) -> Result<Self, PolicyError> {
        let intervals = Intervals::new(first, later)
            .ok_or_else(|| PolicyError::new("the starts of policies must be finite and in ascending order"))?;
        Ok(Self { intervals })
    }

    /// The number of the interval at this time.
    pub(crate) fn index_at(&self, time: UnixTime) -> usize {
        self.intervals.index_at(time)
    }

    /// The requirements of the interval with this number.
    pub(crate) fn get(&self, index: usize) -> &PolicyEpoch {
        self.intervals.get(index)
    }
}
