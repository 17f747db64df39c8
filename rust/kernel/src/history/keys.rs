//! An issuer's keys over time.

use std::sync::Arc;

use super::Intervals;
use crate::key_set::KeySet;
use crate::policy::PolicyError;
use crate::time::UnixTime;

/// What is known of a key at the time at which a token was used. The variants are in the order in which keys are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// It was given for all times: there is no record of when it was published.
    Given,
    /// The issuer published it before that time and after.
    Listed,
    /// One of the two observations around that time has it, the other does not; or there is only one.
    Uncertain,
    /// It was first observed after that time, within the time that is allowed for a late observation.
    Early,
    /// It was observed to be absent before that time, within the time for which verifiers may have used it still.
    Withdrawn,
    /// It may have been in other hands than the issuer's.
    Compromised,
}

/// Keys of which the same is known.
#[derive(Debug, Clone)]
pub struct KeyLayer {
    /// What is known of them.
    pub state: KeyState,
    /// The keys.
    pub keys: Arc<KeySet>,
}

/// A time in which nothing changes. Without layers, or with compromised keys only: a time of which there is no record.
#[derive(Debug, Clone, Default)]
pub struct KeyEpoch {
    layers: Vec<KeyLayer>,
}

/// The keys of one issuer over all time.
#[derive(Debug, Clone)]
pub struct KeyHistory {
    epochs: Intervals<KeyEpoch>,
}

impl KeyState {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Given, Self::Listed, Self::Uncertain, Self::Early, Self::Withdrawn, Self::Compromised];

    /// The stable name of this state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Listed => "listed",
            Self::Uncertain => "uncertain",
            Self::Early => "early",
            Self::Withdrawn => "withdrawn",
            Self::Compromised => "compromised",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl KeyEpoch {
    /// An epoch with these keys.
    pub fn new(mut layers: Vec<KeyLayer>) -> Self {
        layers.sort_by_key(|layer| layer.state);
        Self { layers }
    }

    /// The layers, in the order in which their keys are tried.
    pub fn layers(&self) -> &[KeyLayer] {
        &self.layers
    }
}

impl KeyHistory {
    /// The same keys at all times.
    pub fn of_key_set(keys: Arc<KeySet>) -> Self {
        let always = KeyEpoch::new(vec![KeyLayer { state: KeyState::Given, keys }]);
        Self { epochs: Intervals::constant(always) }
    }

    /// No record of any time.
    pub fn unrecorded() -> Self {
        Self { epochs: Intervals::constant(KeyEpoch::default()) }
    }

    /// `first` from the beginning of time, and each later epoch from its start in Unix seconds until that of the next.
    ///
    /// # Errors
    /// [`PolicyError`] if the starts are not finite or do not ascend.
    pub fn new(first: KeyEpoch, later: Vec<(f64, KeyEpoch)>) -> Result<Self, PolicyError> {
        let epochs = Intervals::new(first, later)
            .ok_or_else(|| PolicyError::new("the starts of epochs must be finite and in ascending order"))?;
        Ok(Self { epochs })
    }

    /// The number of the epoch at this time.
    pub(crate) fn index_at(&self, time: UnixTime) -> usize {
        self.epochs.index_at(time)
    }

    /// The epoch with this number.
    pub(crate) fn epoch(&self, index: usize) -> &KeyEpoch {
        self.epochs.get(index)
    }
}
