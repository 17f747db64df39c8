//! The scanner: one pass over the bytes, checking everything, keeping the outermost level.

use std::borrow::Cow;

use super::{Array, DEEPEST, Error, ErrorKind, MAX_NUMBER, Number, Object, RawObject, Value};

pub(super) type Member<'a> = (Cow<'a, str>, Value<'a>);

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// How many arrays and objects may be open at once.
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `document`, which is UTF-8 without a byte order mark.
    pub(super) fn new(document: &'a [u8], depth: usize) -> Result<Self, Error> {
        let text = std::str::from_utf8(document)
            .map_err(|error| Error { kind: ErrorKind::InvalidUtf8, offset: error.valid_up_to() })?;
        if text.starts_with('\u{feff}') {
            return Err(Error { kind: ErrorKind::ByteOrderMark, offset: 0 });
        }
        Ok(Self { text, at: 0, depth })
    }

    /// The whole document: one value with white space around it.
    pub(super) fn document(&mut self) -> Result<Value<'a>, Error> {
        self.skip_space();
        let value = self.value(0)?;
        self.end()?;
        Ok(value)
    }

    /// The whole document, which must be an object: its members.
    pub(super) fn document_object(&mut self) -> Result<Object<'a>, Error> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            self.document()?;
            return Err(Error { kind: ErrorKind::NotAnObject, offset: 0 });
        }
        let members = self.object(0)?;
        self.end()?;
        Ok(Object { members })
    }

    /// A scanner of a value that was checked before, at whatever depth.
    fn again(text: &'a str) -> Self {
        Self { text, at: 0, depth: DEEPEST }
    }

    /// An array that was checked before: its elements.
    pub(super) fn elements(text: &'a str) -> impl Iterator<Item = Value<'a>> {
        let mut scanner = Self::again(text);
        let mut more = scanner.enter(b'[', b']');
        std::iter::from_fn(move || {
            if !matches!(more, Ok(true)) {
                return None;
            }
            let value = scanner.value(0).ok()?;
            more = scanner.another(b']');
            Some(value)
        })
    }

    /// An object that was checked before: its members.
    pub(super) fn members(text: &'a str) -> Object<'a> {
        Object { members: Self::again(text).object(0).unwrap_or_default() }
    }

    /// An object that was checked before, and those that nest in it under `name`.
    pub(super) fn nested(text: &'a str, name: &str) -> Vec<Object<'a>> {
        Self::again(text).levels(name).unwrap_or_default()
    }

    /// Descends into each object under `name` and ascends again, without recursion. No name is in an object twice, so there
    /// is one way down, and the level that is being read is known by its index.
    fn levels(&mut self, name: &str) -> Result<Vec<Object<'a>>, Error> {
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

    #[inline(always)]
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Error> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => {
                self.object(depth)?;
                Ok(Value::Object(RawObject(self.since(start)?)))
            }
            Some(b'[') => {
                self.array(depth)?;
                Ok(Value::Array(Array(self.since(start)?)))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.error(ErrorKind::Syntax)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member<'a>>, Error> {
        let start = self.at;
        self.check_depth(depth)?;
        let mut members = Vec::with_capacity(if depth == 0 { self.likely_members() } else { 0 });
        let mut more = self.enter(b'{', b'}')?;
        while more {
            let name = self.member_name()?;
            let value = self.value(depth + 1)?;
            members.push((name, value));
            more = self.another(b'}')?;
        }
        if has_repeated_name(&members) {
            return Err(Error { kind: ErrorKind::DuplicateMember, offset: start });
        }
        Ok(members)
    }

    /// How many members an outermost object of this length is likely to have: growing costs more than spare capacity.
    fn likely_members(&self) -> usize {
        const BYTES_A_MEMBER: usize = 24;
        const MANY: usize = 16;
        (self.text.len() / BYTES_A_MEMBER).min(MANY)
    }

    fn array(&mut self, depth: usize) -> Result<(), Error> {
        self.check_depth(depth)?;
        let mut more = self.enter(b'[', b']')?;
        while more {
            self.value(depth + 1)?;
            more = self.another(b']')?;
        }
        Ok(())
    }

    /// The name of a member, up to its value.
    #[inline(always)]
    fn member_name(&mut self) -> Result<Cow<'a, str>, Error> {
        let name = self.string()?;
        self.skip_space();
        self.take(b':')?;
        self.skip_space();
        Ok(name)
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        if depth >= self.depth { Err(self.error(ErrorKind::TooDeep)) } else { Ok(()) }
    }

    /// Past the opening bracket; whether there is a first element.
    fn enter(&mut self, open: u8, close: u8) -> Result<bool, Error> {
        self.take(open)?;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Past the comma or the closing bracket; whether there is another element.
    fn another(&mut self, close: u8) -> Result<bool, Error> {
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        self.take(b',')?;
        self.skip_space();
        Ok(true)
    }

    // Inlined, like `value`, so that a string without escapes, as most are, is written directly to its destination.
    #[inline(always)]
    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
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

    fn number(&mut self) -> Result<Number<'a>, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let written = self.since(start)?;
        // Without an exponent, what is not too long is finite: a double reaches further than MAX_NUMBER digits.
        let is_finite = || !has_exponent || written.parse::<f64>().is_ok_and(f64::is_finite);
        if written.len() > MAX_NUMBER || !is_finite() {
            return Err(Error { kind: ErrorKind::NumberOutOfRange, offset: start });
        }
        Ok(Number(written))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error(ErrorKind::Syntax)) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Error> {
        for &byte in word.as_bytes() {
            self.take(byte)?;
        }
        Ok(value)
    }

    fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.error(ErrorKind::TrailingBytes)) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Error> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.error(ErrorKind::Syntax))
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The text from `start` to here; both lie beside ASCII, so the slice is one of whole characters.
    fn since(&self, start: usize) -> Result<&'a str, Error> {
        self.text.get(start..self.at).ok_or_else(|| self.error(ErrorKind::Syntax))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.at }
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

fn has_repeated_name(members: &[Member<'_>]) -> bool {
    // Comparing all pairs is fastest for the few members of a real token; sorting keeps a hostile one from costing
    // the square of its length.
    const FEW: usize = 16;
    if members.len() <= FEW {
        let mut rest = members;
        while let Some(((name, _), others)) = rest.split_first() {
            if others.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = others;
        }
        return false;
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [first, second] if first == second))
}
