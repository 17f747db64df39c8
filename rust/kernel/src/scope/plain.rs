//! OAuth 2 scope tokens (RFC 6749 section 3.3), compared exactly. They are case-sensitive.

use std::collections::HashSet;

use super::{Grammar, heap_of};

/// The grammar of OAuth 2 scope tokens. A request is one token.
#[derive(Debug, Clone, Default)]
pub struct Plain(HashSet<Box<str>>);

impl Grammar for Plain {
    type Request<'r> = &'r str;

    fn check(scope: &str) -> Result<(), &'static str> {
        if scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            Ok(())
        } else {
            Err("a scope must be printable ASCII without quotes and backslashes (RFC 6749 section 3.3)")
        }
    }

    fn insert(&mut self, scope: &str) {
        self.0.insert(scope.into());
    }

    fn allows(&self, request: &str) -> bool {
        self.0.contains(request)
    }

    fn heap(&self) -> usize {
        heap_of(&self.0)
    }

    fn covers(&self, scope: &str, strictly: bool) -> bool {
        !strictly && self.0.contains(scope)
    }
}
