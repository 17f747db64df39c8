//! Strings: those without escapes stay slices of the document.

use std::borrow::Cow;

use super::Scanner;
use crate::json::{Error, ErrorKind};

impl<'a> Scanner<'a> {
    // Inlined, like `value`, so that a string without escapes, as most are, is written directly to its destination.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.take(b'"')?;
        let plain = self.plain_characters()?;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped(plain).map(Cow::Owned)
    }

    /// The rest of a string that begins with this text and has an escape after it.
    #[cold]
    fn escaped(&mut self, start: &str) -> Result<String, Error> {
        let mut text = String::from(start);
        loop {
            match self.next() {
                Some(b'"') => return Ok(text),
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.error(ErrorKind::Syntax)),
            }
            text.push_str(self.plain_characters()?);
        }
    }

    /// Everything up to the next quote, backslash or control character.
    #[inline(always)]
    fn plain_characters(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        self.at += plain_length(self.text.as_bytes().get(start..).unwrap_or_default());
        self.since(start)
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Error> {
        Ok(match self.next() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.unicode_escape()?,
            _ => return Err(self.error(ErrorKind::Syntax)),
        })
    }

    /// The digits of a `\u` escape, and of the second half of a surrogate pair if they are the first half.
    fn unicode_escape(&mut self) -> Result<char, Error> {
        let lone = Error { kind: ErrorKind::LoneSurrogate, offset: self.at };
        let first = self.four_hex_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if self.next() != Some(b'\\') || self.next() != Some(b'u') {
                return Err(lone);
            }
            let second = self.four_hex_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(lone);
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(lone)
    }

    fn four_hex_digits(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.error(ErrorKind::Syntax))?;
        }
        Ok(code)
    }
}

/// How many bytes come before the first quote, backslash or control character: eight bytes are compared at a time.
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    // The high bit of each byte that is less than `bound`. Only the lowest of them is reliable, and only that is used.
    let less_than = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH_BITS;
    let equal_to = |word: u64, byte: u8| less_than(word ^ (ONES * u64::from(byte)), 1);

    let (words, rest) = text.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let special = equal_to(word, b'"') | equal_to(word, b'\\') | less_than(word, b' ');
        if special != 0 {
            return length + usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
        }
        length += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    length + rest.iter().position(is_special).unwrap_or(rest.len())
}
