//! Strict JSON (RFC 8259), as it is accepted in a token.
//!
//! A document is checked whole, then read one level at a time: [`Object::parse`] yields the members of the outermost
//! object, and nested values remain slices of the input until they are read. Memory is therefore bounded by the number of
//! outer members, whatever the nesting.
//!
//! Beyond what RFC 8259 forbids, these are rejected: a repeated member name at any depth (RFC 7515 section 4, RFC 7519 section 4),
//! a byte order mark, lone surrogates, nesting deeper than [`MAX_DEPTH`], numbers that are not finite as IEEE 754
//! doubles or that are written with more than [`MAX_NUMBER`] characters.

mod scan;
mod write;

use std::borrow::Cow;
use std::fmt;

use scan::Scanner;
pub(crate) use write::write_string;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 32;

/// How deep arrays and objects may nest in a document that is read with [`Object::parse_within`], whatever depth is given:
/// the scanner is recursive.
pub const DEEPEST: usize = 128;

/// How many characters a number may have. A 256-bit integer takes 78.
pub const MAX_NUMBER: usize = 128;

/// Where and why a document is not strict JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// At which byte.
    pub offset: usize,
}

/// The ways in which a document fails to be strict JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A byte that the grammar does not allow here, or a premature end.
    Syntax,
    /// Bytes after the value.
    TrailingBytes,
    /// A byte order mark (RFC 8259 section 8.1).
    ByteOrderMark,
    /// Not UTF-8.
    InvalidUtf8,
    /// An escape that names half of a surrogate pair.
    LoneSurrogate,
    /// Two members of an object with the same name, after unescaping.
    DuplicateMember,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A number beyond the range of a double, or written too long.
    NumberOutOfRange,
    /// The outermost value is not an object.
    NotAnObject,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::Syntax => "not JSON",
            ErrorKind::TrailingBytes => "bytes after the JSON value",
            ErrorKind::ByteOrderMark => "a byte order mark before the JSON value",
            ErrorKind::InvalidUtf8 => "not UTF-8",
            ErrorKind::LoneSurrogate => "a lone surrogate in a string",
            ErrorKind::DuplicateMember => "a repeated member name",
            ErrorKind::TooDeep => "nested too deeply",
            ErrorKind::NumberOutOfRange => "a number out of range",
            ErrorKind::NotAnObject => "not a JSON object",
        };
        write!(f, "{what} (at byte {})", self.offset)
    }
}

impl std::error::Error for Error {}

/// The members of a JSON object, in the order of the document, each name once.
#[derive(Clone)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// One value. Arrays and objects are slices of a document that was checked whole.
#[derive(Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(Number<'a>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array, read on demand.
    Array(Array<'a>),
    /// An object, read on demand.
    Object(RawObject<'a>),
}

/// A number as it is written: finite as a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(&'a str);

/// An array inside a checked document.
#[derive(Clone, Copy)]
pub struct Array<'a>(&'a str);

/// An object inside a checked document.
#[derive(Clone, Copy)]
pub struct RawObject<'a>(&'a str);

impl fmt::Debug for Object<'_> {
    /// Shows the number of members, not their content, which may be claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} members)", self.members.len())
    }
}

impl fmt::Debug for Value<'_> {
    /// Shows the kind of value, not what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Number(_) => "Number",
            Self::String(_) => "String",
            Self::Array(_) => "Array",
            Self::Object(_) => "Object",
        })
    }
}

impl<'a> Object<'a> {
    /// Reads a document whose outermost value must be an object.
    ///
    /// # Errors
    /// The first place where `document` is not strict JSON, or is not an object.
    pub fn parse(document: &'a [u8]) -> Result<Self, Error> {
        Self::parse_within(document, MAX_DEPTH)
    }

    /// As [`parse`](Self::parse), with `depth` (at most [`DEEPEST`]) in place of [`MAX_DEPTH`].
    ///
    /// # Errors
    /// The first place where `document` is not strict JSON, or is not an object.
    pub fn parse_within(document: &'a [u8], depth: usize) -> Result<Self, Error> {
        Scanner::new(document, depth.min(DEEPEST))?.document_object()
    }

    /// The value of the member `name`, if it is present.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Whether the member `name` is present.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The objects that nest in this one under the member `name`, the outermost first: this one's, that one's, and so
    /// on. Each is without its own member `name` if that is an object, which is then the next.
    ///
    /// One pass over the text, however deep they nest: reading them level by level would read the innermost as often
    /// as there are levels.
    pub fn nested(&self, name: &str) -> Vec<Self> {
        match self.get(name) {
            Some(Value::Object(outermost)) => Scanner::nested(outermost.0, name),
            _ => Vec::new(),
        }
    }

    /// The members in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'a> Value<'a> {
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Number<'a> {
    /// The number as a double, which is finite.
    pub fn as_f64(self) -> f64 {
        // The scanner has parsed it once already; an error cannot happen, and NaN fails every comparison.
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// Whether it is written without a fraction or an exponent.
    pub fn is_integer(self) -> bool {
        self.0.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
    }

    /// The number as it is written.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'a> Array<'a> {
    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        Scanner::elements(self.0)
    }
}

impl<'a> RawObject<'a> {
    /// The object as it is written.
    pub fn as_json(self) -> &'a str {
        self.0
    }

    /// The members of this object, one level read.
    pub fn members(self) -> Object<'a> {
        Scanner::members(self.0)
    }
}
