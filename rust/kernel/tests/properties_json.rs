//! Strict JSON against serde_json, over generated documents: the same values, and the same acceptance but for what the
//! manual lists. The comparison itself is the fuzz target's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

#[path = "../../../fuzz/checks/mod.rs"]
mod checks;

use proptest::prelude::*;
use serde_json::Value;
use watchword_kernel::json::{ErrorKind, MAX_DEPTH, MAX_NUMBER, Object};

/// An object with members of every kind, at most five levels deep.
fn object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers only", |number| number.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::btree_map(text(), value, 0..20).prop_map(|members| members.into_iter().collect())
}

/// Strings with what needs escaping, and with characters of each length in UTF-8.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        prop::collection::vec(
            prop_oneof![
                Just('"'),
                Just('\\'),
                Just('\0'),
                Just('\n'),
                Just('é'),
                Just('中'),
                Just('😀'),
                any::<char>()
            ],
            0..8
        )
        .prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// Pieces of JSON and of what is nearly JSON, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"a\":",
        "\"\\u0061\":",
        "{\"a\":",
        "\\",
        "\\u",
        "\\ud800",
        "\\udc00",
        "\"\\ud83d\\ude00\"",
        " ",
        "\n",
        "\u{c}",
        "\u{feff}",
        "\u{a0}",
        "é",
        "0",
        "1",
        "-",
        "+",
        ".",
        "01",
        "1.5",
        "e",
        "E+",
        "1e400",
        "true",
        "false",
        "null",
        "tru",
        "NaN",
        "//",
        "'",
        "\0",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// The document with each character of its strings written as an escape if `escape` is true for it.
fn escaped(text: &str, escape: bool) -> String {
    let mut units = String::new();
    for ch in text.chars() {
        if escape || ch.is_ascii_control() || "\"\\".contains(ch) {
            for unit in ch.encode_utf16(&mut [0; 2]) {
                units.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            units.push(ch);
        }
    }
    format!("\"{units}\"")
}

/// A value, written in another way than serde_json writes it.
fn written(value: &Value, space: &str, escape: bool) -> String {
    match value {
        Value::String(text) => escaped(text, escape),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(|element| written(element, space, escape)).collect();
            format!("[{space}{}{space}]", elements.join(&format!("{space},{space}")))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| {
                    format!("{}{space}:{space}{}", escaped(name, escape), written(value, space, escape))
                })
                .collect();
            format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
        }
        _ => value.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing that is written well is rejected, however it is written.
    #[test]
    fn every_object_is_read(object in object(), space in "[ \t\r\n]{0,2}", escape: bool) {
        for document in [object.to_string(), written(&object, &space, escape)] {
            prop_assert_eq!(Object::parse(document.as_bytes()).map(|read| read.len()), Ok(object.as_object().unwrap().len()));
            checks::json(document.as_bytes());
        }
    }

    /// A document with one byte changed, inserted, taken away or doubled.
    #[test]
    fn damaged_documents(object in object(), at: prop::sample::Index, byte: u8, how in 0..4) {
        let mut document = written(&object, "", false).into_bytes();
        let at = at.index(document.len());
        match how {
            0 => document[at] = byte,
            1 => document.insert(at, byte),
            2 => { document.remove(at); }
            _ => document.insert(at, document[at]),
        }
        checks::json(&document);
    }

    #[test]
    fn pieces_of_json(document in soup()) {
        checks::json(document.as_bytes());
        checks::json(format!("{{\"a\":{document}}}").as_bytes());
        checks::json(format!("{{\"{document}\":0}}").as_bytes());
    }

    #[test]
    fn any_bytes(document in prop::collection::vec(any::<u8>(), 0..64)) {
        checks::json(&document);
        checks::json(&[b"{\"a\":\"", document.as_slice(), b"\"}"].concat());
    }

    /// A member that is there twice is found wherever it is, however its name is written, among few and among many.
    #[test]
    fn a_repeated_member_is_found(names in prop::collection::btree_set(text(), 1..40), at: prop::sample::Index,
                                  to: prop::sample::Index, escape: bool, depth in 0..4_usize) {
        let names: Vec<String> = names.into_iter().collect();
        let repeated = escaped(&names[at.index(names.len())], escape);
        let mut members: Vec<String> = names.iter().map(|name| format!("{}:0", escaped(name, false))).collect();
        let good = format!("{}{{{}}}{}", "{\"a\":[".repeat(depth), members.join(","), "]}".repeat(depth));
        prop_assert!(Object::parse(good.as_bytes()).is_ok());
        members.insert(to.index(names.len() + 1), format!("{repeated}:1"));
        let bad = format!("{}{{{}}}{}", "{\"a\":[".repeat(depth), members.join(","), "]}".repeat(depth));
        prop_assert_eq!(Object::parse(bad.as_bytes()).unwrap_err().kind, ErrorKind::DuplicateMember);
    }
}

#[test]
fn the_limits_are_exact() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(Object::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(Object::parse(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().kind, ErrorKind::TooDeep);

    let number = |digits: usize| format!("{{\"a\":{}}}", "1".repeat(digits));
    assert!(Object::parse(number(MAX_NUMBER).as_bytes()).is_ok());
    assert_eq!(Object::parse(number(MAX_NUMBER + 1).as_bytes()).unwrap_err().kind, ErrorKind::NumberOutOfRange);

    let kind = |document: &str| Object::parse(document.as_bytes()).map(|_| ()).map_err(|error| error.kind);
    assert_eq!(kind(r#"{"a":1.7976931348623157e308}"#), Ok(()));
    assert_eq!(kind(r#"{"a":1.7976931348623159e308}"#), Err(ErrorKind::NumberOutOfRange));
    assert_eq!(kind(r#"{"a":-1e400}"#), Err(ErrorKind::NumberOutOfRange));
    assert_eq!(kind(r#"{"a":1e-400}"#), Ok(()));
    assert_eq!(kind("\u{feff}{}"), Err(ErrorKind::ByteOrderMark));
    assert_eq!(kind("{}\u{0}"), Err(ErrorKind::TrailingBytes));
    assert_eq!(kind(r#"{"a":"\udc00"}"#), Err(ErrorKind::LoneSurrogate));
    assert_eq!(kind(r#"{"a":"\ud800\ud800"}"#), Err(ErrorKind::LoneSurrogate));
    assert_eq!(kind(r#"[{}]"#), Err(ErrorKind::NotAnObject));
    assert_eq!(Object::parse(b"{\"a\":\"\xff\"}").unwrap_err().kind, ErrorKind::InvalidUtf8);
}
