//! Strict JSON against serde_json.

use serde_json::Value as Reference;
use watchword_kernel::json::{Error, ErrorKind, MAX_DEPTH, Object, Value};

/// Strict JSON has the same value for serde_json; JSON that is rejected is rejected for a listed reason.
pub(crate) fn json(document: &[u8]) {
    let strict = Object::parse(document);
    let reference = serde_json::from_slice::<Reference>(document);
    match strict {
        Ok(object) => {
            // serde_json itself uses a member with this name for numbers.
            if !document.windows(7).any(|window| window == b"private") {
                assert_eq!(as_reference(&object), reference.expect("strict JSON is JSON"));
            }
            let names: std::collections::BTreeSet<&str> = object.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), object.len());
            assert_eq!(object.is_empty(), names.is_empty());
        }
        Err(error) => {
            assert!(error.offset <= document.len());
            check_rejection(&error, document, reference);
        }
    }
}

fn check_rejection(error: &Error, document: &[u8], reference: serde_json::Result<Reference>) {
    match error.kind {
        ErrorKind::NotAnObject => assert!(reference.is_ok_and(|value| !value.is_object())),
        // serde_json keeps the last of several members, and numbers as they are written.
        ErrorKind::DuplicateMember | ErrorKind::NumberOutOfRange => {}
        ErrorKind::TooDeep => {
            let opened = document.iter().filter(|byte| b"[{".contains(byte)).count();
            assert!(opened > MAX_DEPTH);
        }
        ErrorKind::Syntax
        | ErrorKind::TrailingBytes
        | ErrorKind::ByteOrderMark
        | ErrorKind::InvalidUtf8
        | ErrorKind::LoneSurrogate => assert!(reference.is_err(), "{error}"),
    }
}

fn as_reference(object: &Object<'_>) -> Reference {
    Reference::Object(object.iter().map(|(name, value)| (name.to_owned(), value_as_reference(value))).collect())
}

fn value_as_reference(value: &Value<'_>) -> Reference {
    match value {
        Value::Null => Reference::Null,
        Value::Bool(value) => Reference::Bool(*value),
        Value::Number(number) => {
            assert!(number.as_f64().is_finite());
            serde_json::from_str(number.as_str()).expect("a number")
        }
        Value::String(text) => Reference::String(text.clone().into_owned()),
        Value::Array(elements) => {
            Reference::Array(elements.iter().map(|element| value_as_reference(&element)).collect())
        }
        Value::Object(members) => {
            let read = members.members();
            // A nested object is a valid document by itself.
            assert_eq!(Object::parse(members.as_json().as_bytes()).map(|object| object.len()), Ok(read.len()));
            as_reference(&read)
        }
    }
}
