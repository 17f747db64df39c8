//! The claims of a token as dynamic metadata: a serialized `google.protobuf.Struct`.
//!
//! The fields of its messages (`google/protobuf/struct.proto`) are few, and written here by hand: a map is a repeated
//! message of key and value, and a number is a double.

use watchword_kernel::VerifiedToken;
use watchword_kernel::json::{Object, Value};

/// What is written into the dynamic metadata of a request that is allowed, in the form of Envoy's own filter for JWTs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct MetadataSettings {
    /// The namespace.
    pub(crate) namespace: String,
    /// The key of the claims.
    pub(crate) payload: Option<String>,
    /// The key of the token's header.
    pub(crate) header: Option<String>,
    /// The claims that become lists if they are strings: they are split at spaces.
    pub(crate) lists: Vec<String>,
}

/// The deepest nesting of claims: protobuf reads messages at most 100 deep, and each object takes three.
const MAX_DEPTH: usize = 30;

const LENGTH_DELIMITED: u8 = 2;
const DOUBLE: u8 = 1;
const VARINT: u8 = 0;

impl MetadataSettings {
    /// Whether anything is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.payload.is_none() && self.header.is_none()
    }

    /// The metadata for a token: a serialized `Struct`. `None` if the token is nested too deeply for Envoy.
    pub(crate) fn serialize(&self, token: &VerifiedToken) -> Option<Vec<u8>> {
        let jws = token.jws();
        let mut message = Vec::with_capacity(jws.payload().len().saturating_mul(2));
        if let Some(key) = &self.payload {
            put_json(&mut message, key, jws.payload(), &self.lists)?;
        }
        if let Some(key) = &self.header {
            put_json(&mut message, key, jws.header(), &[])?;
        }
        Some(message)
    }
}

/// Adds a field with an object, of which some members become lists.
fn put_json(message: &mut Vec<u8>, key: &str, document: &[u8], lists: &[String]) -> Option<()> {
    // Both parts of a verified token are strict JSON.
    let members = Object::parse_within(document, MAX_DEPTH).ok()?;
    let mut fields = Vec::with_capacity(document.len().saturating_mul(2));
    for (name, value) in members.iter() {
        let value = match value {
            // A string of nothing but spaces stays one.
            Value::String(text) if lists.iter().any(|list| list == name) && text.bytes().any(|byte| byte != b' ') => {
                of_list(text.split(' ').filter(|item| !item.is_empty()).map(of_string))
            }
            value => of_value(value),
        };
        put_field(&mut fields, name, &value);
    }
    let mut value = Vec::with_capacity(fields.len().saturating_add(8));
    put_bytes(&mut value, 5, &fields);
    put_field(message, key, &value);
    Some(())
}

/// Adds a field to a `Struct`: `map<string, Value> fields = 1`.
fn put_field(message: &mut Vec<u8>, name: &str, value: &[u8]) {
    let mut entry = Vec::with_capacity(name.len().saturating_add(value.len()).saturating_add(8));
    put_bytes(&mut entry, 1, name.as_bytes());
    put_bytes(&mut entry, 2, value);
    put_bytes(message, 1, &entry);
}

/// A `Value`.
fn of_value(value: &Value<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    match value {
        Value::Null => message.extend([tag(1, VARINT), 0]),
        Value::Number(number) => {
            message.push(tag(2, DOUBLE));
            message.extend(number.as_f64().to_le_bytes());
        }
        Value::String(text) => return of_string(text),
        Value::Bool(value) => message.extend([tag(4, VARINT), u8::from(*value)]),
        Value::Object(object) => {
            let mut fields = Vec::new();
            for (name, value) in object.members().iter() {
                put_field(&mut fields, name, &of_value(value));
            }
            put_bytes(&mut message, 5, &fields);
        }
        Value::Array(items) => return of_list(items.iter().map(|item| of_value(&item))),
    }
    message
}

/// A `Value` with a string.
fn of_string(text: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(text.len().saturating_add(4));
    put_bytes(&mut message, 3, text.as_bytes());
    message
}

/// A `Value` with a list of values.
fn of_list(values: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut list = Vec::new();
    for value in values {
        put_bytes(&mut list, 1, &value);
    }
    let mut message = Vec::new();
    put_bytes(&mut message, 6, &list);
    message
}

fn tag(field: u8, wire_type: u8) -> u8 {
    field << 3 | wire_type
}

/// Adds a field with bytes: its tag, their length as a varint, and them.
fn put_bytes(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    message.push(tag(field, LENGTH_DELIMITED));
    let mut length = bytes.len();
    while let Some(low) = u8::try_from(length & 0x7f).ok().filter(|_| length > 0x7f) {
        message.push(low | 0x80);
        length >>= 7;
    }
    message.extend(u8::try_from(length));
    message.extend_from_slice(bytes);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn payload(document: &str, lists: &[&str]) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        let lists: Vec<String> = lists.iter().map(|&name| name.to_owned()).collect();
        put_json(&mut message, "p", document.as_bytes(), &lists).map(|()| message)
    }

    #[test]
    fn the_bytes_are_those_of_protobuf() {
        // What the `protobuf` package for Python writes for the same struct.
        let expected = concat!(
            "0a5b0a017012562a540a1d0a0161121832160a0220010a0208000a0c2a0a0a080a016212031a01630a100a0365787012091100",
            "00000000003e400a150a0573636f7065120c320a0a031a01780a031a01790a0a0a0373756212031a0161",
        );
        let message = payload(r#"{"a":[true,null,{"b":"c"}],"exp":30,"scope":"x y","sub":"a"}"#, &["scope"]).unwrap();
        let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn lengths_of_more_than_one_byte() {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, &[0; 300]);
        assert_eq!(message.get(..3), Some([0x0a, 0xac, 0x02].as_slice()));
        assert_eq!(message.len(), 303);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(payload(&nested(MAX_DEPTH), &[]).is_some());
        assert_eq!(payload(&nested(MAX_DEPTH + 1), &[]), None);
    }
}
