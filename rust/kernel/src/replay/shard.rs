//! A part of the memory: the ids of some holders.

use std::collections::{BTreeMap, HashMap};

use super::{HOLDER_BYTES, ReplayId};

type Holder = [u8; HOLDER_BYTES];

#[derive(Default)]
pub(super) struct Shard {
    /// The ids, and when each expires, in Unix seconds.
    ids: HashMap<ReplayId, f64>,
    /// How many of them each holder has: at least one.
    held: HashMap<Holder, usize>,
    /// The same ids by the second in which they expire, so that those that have are found without a search.
    by_second: BTreeMap<i64, Vec<ReplayId>>,
}

impl Shard {
    /// Whether an id is remembered, and has not expired by the horizon.
    pub(super) fn holds(&self, id: &ReplayId, horizon: f64) -> bool {
        self.ids.get(id).is_some_and(|expires_at| horizon <= *expires_at)
    }

    /// How many ids the holder of this one has.
    pub(super) fn held_by(&self, id: &ReplayId) -> usize {
        self.held.get(&holder(id)).copied().unwrap_or(0)
    }

    /// Returns how many ids it takes the place of: one if the same id was there and had expired.
    pub(super) fn insert(&mut self, id: &ReplayId, expires_at: f64) -> usize {
        self.by_second.entry(second(expires_at)).or_default().push(*id);
        if self.ids.insert(*id, expires_at).is_some() {
            return 1;
        }
        let held = self.held.entry(holder(id)).or_default();
        *held = held.saturating_add(1);
        0
    }

    /// Forgets what expired before the second that the horizon lies in, and returns how many ids that were.
    pub(super) fn forget_before(&mut self, horizon: f64) -> usize {
        let mut forgotten = 0;
        while let Some(entry) = self.by_second.first_entry() {
            let expired = *entry.key();
            if expired >= second(horizon) {
                break;
            }
            for id in entry.remove() {
                // One that was used again after it had expired is listed twice: under its old second, and its new one.
                if self.ids.get(&id).is_some_and(|expires_at| second(*expires_at) == expired) {
                    self.ids.remove(&id);
                    self.give_back(&id);
                    forgotten += 1;
                }
            }
        }
        forgotten
    }

    fn give_back(&mut self, id: &ReplayId) {
        match self.held.get_mut(&holder(id)) {
            Some(held) if *held > 1 => *held -= 1,
            _ => drop(self.held.remove(&holder(id))),
        }
    }
}

fn holder(id: &ReplayId) -> Holder {
    id.first_chunk().copied().unwrap_or_default()
}

/// The second that a moment lies in. Moments that no i64 can hold, and NaN, become the nearest one that it can, or 0.
#[allow(clippy::as_conversions, reason = "a conversion from float to int saturates, and has no other form")]
fn second(moment: f64) -> i64 {
    moment.floor() as i64
}
