//! Objects that nest in each other under one name.

use super::Scanner;
use crate::json::{Error, Object};

impl<'a> Scanner<'a> {
    /// Descends into each object under `name` and ascends again, without recursion. No name is in an object twice, so there
    /// is one way down, and the level that is being read is known by its index.
    pub(super) fn levels(&mut self, name: &str) -> Result<Vec<Object<'a>>, Error> {
        let mut levels = vec![Object { members: Vec::new() }];
        let mut open = vec![0];
        let mut more = self.enter(b'{', b'}')?;
        while let Some(&level) = open.last() {
            if !more {
                open.pop();
                more = !open.is_empty() && self.another(b'}')?;
                continue;
            }
            let member = self.member_name()?;
            if member == name && self.peek() == Some(b'{') {
                open.push(levels.len());
                levels.push(Object { members: Vec::new() });
                more = self.enter(b'{', b'}')?;
                continue;
            }
            let value = self.value(0)?;
            if let Some(object) = levels.get_mut(level) {
                object.members.push((member, value));
            }
            more = self.another(b'}')?;
        }
        Ok(levels)
    }
}
