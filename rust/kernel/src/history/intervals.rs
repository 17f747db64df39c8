//! Consecutive intervals of time, which together cover all of it.

use crate::time::UnixTime;

/// Values that each hold from one time to the next.
#[derive(Debug, Clone)]
pub(super) struct Intervals<T> {
    first: T,
    later: Vec<(f64, T)>,
}

impl<T> Intervals<T> {
    /// One value for all time.
    pub(super) fn constant(value: T) -> Self {
        Self { first: value, later: Vec::new() }
    }

    /// `first` from the beginning of time, and each of the others from its own time on. `None` unless their times are
    /// finite and ascend.
    pub(super) fn new(first: T, later: Vec<(f64, T)>) -> Option<Self> {
        let ascend = later.iter().zip(later.iter().skip(1)).all(|((one, _), (next, _))| one < next);
        let finite = later.iter().all(|(start, _)| start.is_finite());
        (ascend && finite).then_some(Self { first, later })
    }

    /// The number of the interval in which `time` lies.
    pub(super) fn index_at(&self, time: UnixTime) -> usize {
        self.later.partition_point(|(start, _)| *start <= time.seconds())
    }

    /// The value of the interval with this number; the last if there are fewer.
    pub(super) fn get(&self, index: usize) -> &T {
        match index.checked_sub(1) {
            None => &self.first,
            Some(later) => self.later.get(later).or(self.later.last()).map_or(&self.first, |(_, value)| value),
        }
    }
}
