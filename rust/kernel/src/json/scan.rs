//! The scanner: one pass over the bytes, checking everything, keeping the outermost level.

mod levels;
mod strings;

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

    /// The text from `start` to here; both are next to ASCII, so the slice has whole characters only.
    fn since(&self, start: usize) -> Result<&'a str, Error> {
        self.text.get(start..self.at).ok_or_else(|| self.error(ErrorKind::Syntax))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.at }
    }
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
