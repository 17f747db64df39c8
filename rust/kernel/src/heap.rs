//! How many bytes values take on the heap.

use std::mem::size_of;

/// What an allocator takes for this many bytes, approximately: in steps of 16, with 8 of its own.
pub(crate) const fn allocated(bytes: usize) -> usize {
    const LEAST: usize = 32;
    match bytes {
        0 => 0,
        bytes => {
            let rounded = bytes.saturating_add(8).next_multiple_of(16);
            if rounded < LEAST { LEAST } else { rounded }
        }
    }
}

/// What a vector with this capacity takes on the heap.
pub(crate) const fn vector<T>(capacity: usize) -> usize {
    allocated(capacity.saturating_mul(size_of::<T>()))
}

/// What a hash map or set of the standard library with this capacity takes: a power of two of slots, of which at most
/// seven eighths are in use, each with a byte of its own, and 16 more.
pub(crate) const fn hash_table<T>(capacity: usize) -> usize {
    let places = match capacity {
        0 => return 0,
        1..8 => capacity + 1,
        _ => (capacity / 7).saturating_mul(8),
    };
    allocated(places.saturating_mul(size_of::<T>() + 1).saturating_add(16))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_hash_table_has_room_for_seven_eighths_of_its_places() {
        for (capacity, places) in [(3, 4), (7, 8), (14, 16), (28, 32), (448, 512)] {
            assert_eq!(HashSet::<u64>::with_capacity(capacity).capacity(), capacity);
            assert_eq!(hash_table::<u64>(capacity), allocated(places * 9 + 16));
        }
    }
}
