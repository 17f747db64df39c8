//! Messages for the operator, until the caller takes them.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;
use watchword_embedded::Event;

/// The most messages that are kept: the newest.
const CAPACITY: usize = 64;

/// Messages, the oldest first. Reader and writer never wait for each other.
#[derive(Default)]
pub(crate) struct Events(ArcSwap<VecDeque<Arc<Message>>>);

/// What an operator is told.
#[derive(Default)]
pub(crate) struct Message {
    pub(crate) text: String,
    /// Whether something has to be repaired.
    pub(crate) is_error: bool,
}

impl Events {
    pub(crate) fn push(&self, event: &Event) {
        let is_error = !matches!(event, Event::ConfigLoaded | Event::KeysLoaded(..));
        let message = Arc::new(Message { text: event.to_string(), is_error });
        self.0.rcu(|messages| {
            let mut messages = VecDeque::clone(messages);
            if messages.len() == CAPACITY {
                messages.pop_front();
            }
            messages.push_back(Arc::clone(&message));
            messages
        });
    }

    /// Removes the oldest.
    pub(crate) fn take(&self) -> Option<Arc<Message>> {
        if self.0.load().is_empty() {
            return None;
        }
        let previous = self.0.rcu(|messages| {
            let mut messages = VecDeque::clone(messages);
            messages.pop_front();
            messages
        });
        previous.front().cloned()
    }
}
