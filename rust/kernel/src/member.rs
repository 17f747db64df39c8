//! Members of an object by their type: the same readers for headers, claims and proofs.

use crate::error::Malformed;
use crate::json::{Object, Value};
use crate::time::NumericDate;

/// A string, where the member is there.
pub(crate) fn text(members: &Object<'_>, name: &'static str) -> Result<Option<String>, Malformed> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone().into_owned())),
        Some(_) => Err(must_be(name, "a string")),
    }
}

/// A NumericDate (RFC 7519 section 2), where the member is there.
pub(crate) fn date(members: &Object<'_>, name: &'static str) -> Result<Option<NumericDate>, Malformed> {
    let date = match members.get(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => NumericDate::new(*number),
        Some(_) => None,
    };
    date.map(Some).ok_or_else(|| must_be(name, "a number of seconds from 0 to the year 9999"))
}

/// Words: a string with spaces between them, as of `scope` (RFC 8693 section 4.2), or an array, as some issuers send.
pub(crate) fn words(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()),
        _ => strings(value),
    }
}

/// One string, or an array of strings.
pub(crate) fn strings(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone().into_owned()]),
        Value::Array(elements) => elements.iter().map(|element| element.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// What is wrong with a member.
pub(crate) fn must_be(name: &'static str, must_be: &'static str) -> Malformed {
    Malformed::Member { name, must_be }
}
