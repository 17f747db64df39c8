//! Several strings in one allocation.

use std::ops::Range;

use crate::heap::vector;

/// Strings that are kept together, each known by its index.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct StringArena {
    joined: String,
    /// The end of each string in `joined`; it begins at the end of the one before.
    ends: Vec<usize>,
}

impl StringArena {
    /// An empty arena with capacity for this many strings, of `bytes` together.
    pub(crate) fn with_capacity(strings: usize, bytes: usize) -> Self {
        Self { joined: String::with_capacity(bytes), ends: Vec::with_capacity(strings) }
    }

    /// Drops spare capacity.
    pub(crate) fn shrink(&mut self) {
        self.joined.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The bytes that it takes on the heap.
    pub(crate) fn heap(&self) -> usize {
        vector::<u8>(self.joined.capacity()) + vector::<usize>(self.ends.capacity())
    }

    /// Adds a string, and returns its index.
    pub(crate) fn push(&mut self, text: &str) -> usize {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
        self.ends.len() - 1
    }

    /// The number of strings, which is the index of the next one.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The string with this index, which [`push`](Self::push) returned.
    pub(crate) fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.joined.get(start..end).unwrap_or_default()
    }

    /// The strings with these indices.
    pub(crate) fn all(&self, indices: Range<usize>) -> impl ExactSizeIterator<Item = &str> {
        indices.map(|index| self.get(index))
    }
}
