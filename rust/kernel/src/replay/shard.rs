//! A shard of the replay cache: the ids of some holders.

use std::collections::{BTreeMap, HashMap};

use super::{HOLDER_BYTES, ReplayId};

type Holder = [u8; HOLDER_BYTES];

#[derive(Default)]
pub(super) struct Shard {
    /// When each id expires, in Unix seconds.
    ids: HashMap<ReplayId, f64>,
    /// The number of ids of each holder, at least one.
    counts: HashMap<Holder, usize>,
    /// The same ids by the second in which they expire, so that expired ones are found without a search.
    by_second: BTreeMap<i64, Vec<ReplayId>>,
}

impl Shard {
    /// Whether the shard contains the id, and it has not expired by the horizon.
    pub(super) fn contains(&self, id: &ReplayId, horizon: f64) -> bool {
        self.ids.get(id).is_some_and(|expires_at| horizon <= *expires_at)
    }

    /// The number of ids of this id's holder.
    pub(super) fn count_of_holder(&self, id: &ReplayId) -> usize {
        self.counts.get(&holder(id)).copied().unwrap_or(0)
    }

    /// Inserts an id, and returns how many it replaces: one if the shard contained the same id, which had expired.
    pub(super) fn insert(&mut self, id: &ReplayId, expires_at: f64) -> usize {
        self.by_second.entry(second(expires_at)).or_default().push(*id);
        if self.ids.insert(*id, expires_at).is_some() {
            return 1;
        }
        let count = self.counts.entry(holder(id)).or_default();
        *count = count.saturating_add(1);
        0
    }

    /// Removes the ids that expired before the second of the horizon, and returns their number.
    pub(super) fn remove_before(&mut self, horizon: f64) -> usize {
        let mut removed = 0;
        while let Some(entry) = self.by_second.first_entry() {
            let expired = *entry.key();
            if expired >= second(horizon) {
                break;
            }
            for id in entry.remove() {
                // An id that was used again after it had expired is listed twice: under its old and its new second.
                if self.ids.get(&id).is_some_and(|expires_at| second(*expires_at) == expired) {
                    self.ids.remove(&id);
                    self.decrement(&id);
                    removed += 1;
                }
            }
        }
        removed
    }

    fn decrement(&mut self, id: &ReplayId) {
        match self.counts.get_mut(&holder(id)) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.counts.remove(&holder(id))),
        }
    }
}

fn holder(id: &ReplayId) -> Holder {
    id.first_chunk().copied().unwrap_or_default()
}

/// The second of a moment. A moment out of the range of i64 becomes its nearest limit, and NaN becomes 0.
#[allow(clippy::as_conversions, reason = "a conversion from float to int saturates, and has no other form")]
fn second(moment: f64) -> i64 {
    moment.floor() as i64
}
