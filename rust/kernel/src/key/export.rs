//! JWKs as JSON text, for a key set that is written and read again.

use super::PublicKey;
use super::jwk::{PRIVATE_MEMBERS, PUBLIC_MEMBERS};
use crate::json::{Object, Value, write_string};

/// Instead of a value of which only its presence, or that it is no string, decides anything.
const NO_STRING: &str = "0";

impl PublicKey {
    /// The members of [`to_jwk`](Self::to_jwk) and the [`issuer`](Self::issuer), if there is one: everything that decides a
    /// verdict.
    pub(crate) fn to_json(&self) -> String {
        let mut members = self.to_jwk();
        members.extend(self.issuer().map(|issuer| ("issuer", issuer.to_owned())));
        object(members.iter().map(|(name, value)| (*name, Value::String(value.as_str().into()))))
    }
}

/// Those members of a JWK in a key set that decide how it is read, with the same outcome. Private members are there, but
/// without their values.
pub(crate) fn without_secrets(jwk: &Object<'_>) -> String {
    object(jwk.iter().filter_map(|(name, value)| {
        if PUBLIC_MEMBERS.contains(&name) {
            Some((name, value.clone()))
        } else if PRIVATE_MEMBERS.contains(&name) {
            Some((name, if matches!(value, Value::Null) { Value::Null } else { Value::Bool(true) }))
        } else {
            None
        }
    }))
}

fn object<'v>(members: impl Iterator<Item = (&'v str, Value<'v>)>) -> String {
    let mut json = String::from("{");
    for (name, value) in members {
        write_string(name, &mut json);
        json.push(':');
        write_value(&value, &mut json);
        json.push(',');
    }
    closed(json, '}')
}

/// No member of a JWK is read other than as a string or as an array of strings.
fn write_value(value: &Value<'_>, json: &mut String) {
    match value {
        Value::Null => json.push_str("null"),
        Value::String(text) => write_string(text, json),
        Value::Array(elements) => {
            let mut list = String::from("[");
            for element in elements.iter() {
                match element {
                    Value::String(text) => write_string(&text, &mut list),
                    _ => list.push_str(NO_STRING),
                }
                list.push(',');
            }
            json.push_str(&closed(list, ']'));
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => json.push_str(NO_STRING),
    }
}

/// With the bracket in place of the last comma, if there is one.
fn closed(mut json: String, bracket: char) -> String {
    if json.ends_with(',') {
        json.pop();
    }
    json.push(bracket);
    json
}
