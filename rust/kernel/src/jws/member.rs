//! Typed members of a JSON object: the same readers for headers, claims and proofs.

use std::borrow::Cow;

use crate::error::Malformed;
use crate::json::{Object, Value};
use crate::time::NumericDate;

/// A string, borrowed from the document unless it is written with escapes.
pub(crate) fn string<'m, 'a>(name: &'static str, value: &'m Value<'a>) -> Result<&'m Cow<'a, str>, Malformed> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(must_be(name, "a string")),
    }
}

/// An owned string, if the member is present.
pub(crate) fn text(members: &Object<'_>, name: &'static str) -> Result<Option<String>, Malformed> {
    members.get(name).map(|value| string(name, value).map(|text| text.clone().into_owned())).transpose()
}

/// A NumericDate (RFC 7519 section 2).
pub(crate) fn numeric_date(name: &'static str, value: &Value<'_>) -> Result<NumericDate, Malformed> {
    let date = match value {
        Value::Number(number) => NumericDate::new(*number),
        _ => None,
    };
    date.ok_or_else(|| must_be(name, "a number of seconds from 0 to the year 9999"))
}

/// A NumericDate, if the member is present.
pub(crate) fn date(members: &Object<'_>, name: &'static str) -> Result<Option<NumericDate>, Malformed> {
    members.get(name).map(|value| numeric_date(name, value)).transpose()
}

/// Passes each word to `take`: of a string with spaces between them, as in `scope` (RFC 8693 section 4.2), or of an array,
/// as some issuers send. `None` if the value is neither.
pub(crate) fn each_word(value: &Value<'_>, take: impl FnMut(&str)) -> Option<()> {
    match value {
        Value::String(text) => {
            text.split(' ').filter(|word| !word.is_empty()).for_each(take);
            Some(())
        }
        _ => each_string(value, take),
    }
}

/// Passes one string, or each of an array, to `take`. `None` if the value is neither.
pub(crate) fn each_string(value: &Value<'_>, mut take: impl FnMut(&str)) -> Option<()> {
    match value {
        Value::String(text) => {
            take(text);
            Some(())
        }
        Value::Array(elements) => elements.iter().try_for_each(|element| element.as_str().map(&mut take)),
        _ => None,
    }
}

/// Owned strings. `None` if the value is neither a string nor an array of strings.
pub(crate) fn strings(value: &Value<'_>) -> Option<Vec<String>> {
    let mut strings = Vec::new();
    each_string(value, |text| strings.push(text.to_owned()))?;
    Some(strings)
}

/// The error of a member that does not have the type it must have.
pub(crate) fn must_be(name: &'static str, must_be: &'static str) -> Malformed {
    Malformed::Member { name, must_be }
}
