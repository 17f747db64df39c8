//! NDJSON: what is a row, and what is not.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Row, blocks, limited, read, read_row, rows, token, try_read};
use watchword_records::{Fields, Format, Limits, Reader};

const NDJSON: Format = Format::Ndjson;

#[test]
fn lines_are_rows() {
    let input = "\u{feff}{\"token\":\"a\",\"time\":1}\r\n\n \t\r\n{\"time\":\"1970-01-01T00:00:02Z\",\"token\":\"b\"}\n{\"token\":\"c\"}";
    assert_eq!(read(NDJSON, input), [read_row(1, "a", 1.0), read_row(4, "b", 2.0), token(5, "c")]);
}

#[test]
fn escapes_are_decoded() {
    assert_eq!(read(NDJSON, r#"{"tok\u0065n":"\u0061\/b"}"#), [token(1, "a/b")]);
}

#[test]
fn a_missing_token_is_a_row() {
    let none = |line| Row::Read(line, None, None);
    assert_eq!(read(NDJSON, "{}\n{\"token\":null}\n{\"token\":\"\"}"), [none(1), none(2), token(3, "")]);
}

#[test]
fn times() {
    let time = |written: &str| match read(NDJSON, format!(r#"{{"token":"a","time":{written}}}"#)).pop() {
        Some(Row::Read(_, _, time)) => time,
        other => panic!("{other:?}"),
    };
    assert_eq!(time("1.5e3"), Some(1500.0));
    assert_eq!(time(r#""1500""#), Some(1500.0));
    assert_eq!(time(r#""1970-01-01 00:25:00+00:00""#), Some(1500.0));
    for unreadable in ["null", "true", "[1]", "{}", r#""yesterday""#, r#""""#] {
        assert_eq!(time(unreadable), None, "{unreadable}");
    }
}

#[test]
fn names_may_be_paths() {
    let named = |name: &str, input: &str| {
        let fields = Fields { token: name.into(), time: Some("at.seconds".into()), ..Fields::default() };
        rows(&blocks(Reader::new(NDJSON, fields, Limits::default()), [input.as_bytes()], 9).expect("readable"))
    };
    let input = r#"{"request":{"token":"a","headers":{"dpop":"p\u0021"}},"at":{"seconds":3}}"#;
    assert_eq!(named("request.token", input), [read_row(1, "a", 3.0)]);
    assert_eq!(named("request.headers.dpop", input), [read_row(1, "p!", 3.0)]);
    for absent in ["request.headers.none", "request.token.x", "request..token", ".request", "none.token", "."] {
        assert_eq!(named(absent, input), [Row::Read(1, None, Some(3.0))], "{absent}");
    }
    assert_eq!(named("request", input), [Row::Bad(1, "the token is not a string")]);
    // A member of that name comes before a path.
    assert_eq!(named("request.token", r#"{"request":{"token":"a"},"request.token":"b"}"#), [token(1, "b")]);
    assert_eq!(named("request.token", r#"{"request":{"token":"a"},"request.token":null}"#), [Row::Read(1, None, None)]);
}

#[test]
fn all_columns() {
    let name = |name: &str| Some(name.to_owned());
    let fields = Fields { token: "t".into(), time: None, method: name("m"), uri: name("u"), proof: name("p") };
    let input = br#"{"t":"a","m":"GET","u":"https://api.example/","p":"x.y.z"}
{"t":"b","m":null}
{"m":1}
{"u":1}
{"p":[]}"#;
    let mut reader = Reader::new(NDJSON, fields, Limits::default());
    reader.feed(input).expect("not ended");
    reader.finish();
    let block = reader.take(9).expect("readable").expect("a block");
    let column = |column: &Option<watchword_records::TextColumn>| {
        let column = column.as_ref().expect("named");
        [0, 1].map(|row| column.get(row).map(<[u8]>::to_vec))
    };
    assert_eq!(block.len(), 2);
    assert_eq!(column(&block.methods), [Some(b"GET".to_vec()), None]);
    assert_eq!(column(&block.uris), [Some(b"https://api.example/".to_vec()), None]);
    assert_eq!(column(&block.proofs), [Some(b"x.y.z".to_vec()), None]);
    let reasons: Vec<_> = block.unreadable.iter().map(|row| (row.line, row.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [(3, "the method is not a string"), (4, "the URI is not a string"), (5, "the proof is not a string")]
    );
}

#[test]
fn unreadable_lines_are_counted_and_reading_goes_on() {
    let deep = format!(r#"{{"token":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let long_number = format!(r#"{{"token":"a","x":{}}}"#, "1".repeat(200));
    let cases: [(&[u8], &str); 16] = [
        (br#"{"token": "abc", "time": "#, "not JSON"),
        (br#"{"token":"a"} {"token":"b"}"#, "not JSON"),
        (b"{\"token\":\"a\"}\r{\"token\":\"b\"}", "not JSON"),
        (b"{\"token\":\"a\0\"}", "not JSON"),
        (b"\0", "not JSON"),
        (br#"{"token":NaN}"#, "not JSON"),
        (br#"["token"]"#, "not a JSON object"),
        (b"17", "not a JSON object"),
        (b"{\"token\":\"\xff\xfe\"}", "not UTF-8"),
        ("\u{feff}{}".as_bytes(), "a byte order mark before the JSON object"),
        (br#"{"token":"\ud800"}"#, "a lone surrogate in a JSON string"),
        (br#"{"token":"a","token":"b"}"#, "a repeated member name"),
        (deep.as_bytes(), "JSON nested too deeply"),
        (br#"{"token":"a","x":1e400}"#, "a JSON number out of range"),
        (long_number.as_bytes(), "a JSON number out of range"),
        (br#"{"token":17}"#, "the token is not a string"),
    ];
    for (line, reason) in cases {
        let input = [b"{\"token\":\"a\"}\n", line, b"\n{\"token\":\"b\"}\n"].concat();
        assert_eq!(read(NDJSON, input), [token(1, "a"), Row::Bad(2, reason), token(3, "b")], "{reason}");
    }
}

#[test]
fn deep_json_is_readable() {
    let deep = format!(r#"{{"token":"a","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(read(NDJSON, deep), [token(1, "a")]);
}

#[test]
fn a_long_token_is_a_row() {
    let long = "x".repeat(10 << 20);
    let input = format!("{{\"token\":\"{long}\"}}\n{{\"token\":\"b\"}}\n");
    assert_eq!(read(NDJSON, input), [token(1, &long), token(2, "b")]);
}

#[test]
fn a_longer_line_than_the_limit_is_one_unreadable_row() {
    let whole = br#"{"token":"abc"}"#;
    let input = [whole.as_slice(), b"\n{}\n", whole].concat();
    let too_long = |line| Row::Bad(line, "the record is too long");
    for limit in [whole.len() - 1, 2] {
        let expected = vec![too_long(1), Row::Read(2, None, None), too_long(3)];
        assert_eq!(try_read(NDJSON, limited(limit), &input), Ok(expected), "{limit}");
    }
    assert_eq!(try_read(NDJSON, limited(0), &input), Ok(vec![too_long(1), too_long(2), too_long(3)]));
    assert_eq!(try_read(NDJSON, limited(whole.len()), whole), Ok(vec![token(1, "abc")]));
}

#[test]
fn what_an_incomplete_input_ends_with_is_unreadable() {
    let ends = |input: &str| {
        let mut reader = Reader::new(NDJSON, common::fields(), Limits::default());
        reader.feed(input.as_bytes()).expect("not ended");
        reader.break_off();
        rows(reader.take(9).expect("readable").as_slice())
    };
    // A whole object may be one only by chance.
    assert_eq!(ends("{\"token\":\"a\"}\n{}"), [token(1, "a"), Row::Bad(2, "the input ends within the record")]);
    assert_eq!(ends("{\"token\":\"a\"}\n"), [token(1, "a")]);
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let mut reader = Reader::new(NDJSON, common::fields(), Limits::default());
    reader.finish();
    let error = reader.feed(b"{}").expect_err("ended");
    assert_eq!(error.to_string(), "bytes were fed after the end of the input");
}
