//! Several texts in one piece of memory.

use std::ops::Range;

use crate::heap::vector;

/// StringArena that are kept together, each known by its number.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct StringArena {
    joined: String,
    /// Where each ends in `joined`; it begins where the one before it ends.
    ends: Vec<usize>,
}

impl StringArena {
    /// No texts yet, and room for this many, of `bytes` together.
    pub(crate) fn with_room(texts: usize, bytes: usize) -> Self {
        Self { joined: String::with_capacity(bytes), ends: Vec::with_capacity(texts) }
    }

    /// Gives back the memory that nothing is in.
    pub(crate) fn shrink(&mut self) {
        self.joined.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The bytes that they take beside themselves.
    pub(crate) fn heap(&self) -> usize {
        vector::<u8>(self.joined.capacity()) + vector::<usize>(self.ends.capacity())
    }

    /// Takes one more, and returns its number.
    pub(crate) fn push(&mut self, text: &str) -> usize {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
        self.ends.len() - 1
    }

    /// How many there are: the number of the next one.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text with this number, which [`push`](Self::push) gave.
    pub(crate) fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(number).copied().unwrap_or_default();
        self.joined.get(start..end).unwrap_or_default()
    }

    /// The texts with these numbers.
    pub(crate) fn all(&self, numbers: Range<usize>) -> impl ExactSizeIterator<Item = &str> {
        numbers.map(|number| self.get(number))
    }
}
