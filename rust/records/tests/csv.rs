//! CSV: what is a row, what is not, and what a stray quote does.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Row, blocks, limited, read, read_row, rows, token, try_read};
use watchword_records::{Fields, Format, Limits, Position, Reader};

const CSV: Format = Format::Csv;
const NOT_CLOSED: &str = "a quoted field is not closed";
const FIELD_COUNT: &str = "another number of fields than the header";
const AFTER_QUOTE: &str = "text after a quoted field";
const TOO_LONG: &str = "the record is too long";

fn error(input: &str) -> String {
    try_read(CSV, Limits::default(), input.as_bytes()).expect_err("no header").to_string()
}

#[test]
fn records_are_rows() {
    let input = "\u{feff}time,x,token\r\n1,,a\r\n\r\n2026-01-01t00:00:00.5z,\"q\"\"\r\nq,\",\"b,\"\n\"\",y,\nlater,,d";
    let expected = [read_row(2, "a", 1.0), read_row(4, "b,", 1_767_225_600.5), Row::Read(6, None, None), token(7, "d")];
    assert_eq!(read(CSV, input), expected);
}

#[test]
fn bytes_are_kept_as_they_are() {
    let mut reader = Reader::new(CSV, common::fields(), Limits::default());
    reader.feed(b"token,time\n\xff\0,\xff\n \xef\xbb\xbfa ,\n").expect("not ended");
    reader.finish();
    let block = reader.take(9).expect("readable").expect("a block");
    let tokens = [0, 1].map(|row| block.tokens.get(row).expect("a token"));
    assert_eq!(tokens, [b"\xff\0".as_slice(), b" \xef\xbb\xbfa "]);
    assert!(block.times[0].is_nan());
}

#[test]
fn a_byte_order_mark_elsewhere_is_part_of_a_field() {
    let input = "token,time\n\u{feff}a,1\n\u{feff}\"b\",2\n";
    assert_eq!(read(CSV, input), [read_row(2, "\u{feff}a", 1.0), read_row(3, "\u{feff}\"b\"", 2.0)]);
    assert_eq!(
        error("\u{feff}\u{feff}token,time\n"),
        "the header has no column \"token\"; its columns are: (8 bytes), \"time\""
    );
}

#[test]
fn another_number_of_fields_is_unreadable() {
    let input = "token,time\na\nb,1,\nc,1\n\"d\ne\"\nf,1\n,,,,,,,,,,,,,,,,,,,\n";
    let bad = |line| Row::Bad(line, FIELD_COUNT);
    let expected = [bad(2), bad(3), read_row(4, "c", 1.0), bad(5), bad(6), read_row(7, "f", 1.0), bad(8)];
    assert_eq!(read(CSV, input), expected);
}

#[test]
fn a_bare_carriage_return_ends_a_record() {
    assert_eq!(
        read(CSV, "token,time\ra,1\rb,2\nc,3\r\r\n\rd,4"),
        [read_row(1, "a", 1.0), read_row(1, "b", 2.0), read_row(2, "c", 3.0), read_row(3, "d", 4.0),]
    );
}

#[test]
fn a_stray_quote_hides_only_its_line() {
    // The next quote closes it, but what comes after that is not the end of a field.
    let input = "token,time\na,1\nb,\"2\nc,3\n\"d\",4\n\"\n\"e\",5";
    let expected = [
        read_row(2, "a", 1.0),
        Row::Bad(3, AFTER_QUOTE),
        read_row(4, "c", 3.0),
        read_row(5, "d", 4.0),
        Row::Bad(6, AFTER_QUOTE),
        read_row(7, "e", 5.0),
    ];
    assert_eq!(read(CSV, input), expected);
    for input in ["\"a\"b,1", "\"a\" ,1", "\"a\"\"\" b,1", "a,\"1\"\"\"2"] {
        assert_eq!(read(CSV, format!("token,time\n{input}\nc,2")), [Row::Bad(2, AFTER_QUOTE), read_row(3, "c", 2.0)]);
    }
}

#[test]
fn a_quote_within_an_unquoted_field_is_part_of_it() {
    let input = "token,time\na\",1\nb\"c\"d,2\n \"e,3\n\"\"\"f\"\"\",4\n";
    let expected = [("a\"", 1.0), ("b\"c\"d", 2.0), (" \"e", 3.0), ("\"f\"", 4.0)];
    let expected: Vec<_> = (2..).zip(expected).map(|(line, (token, time))| read_row(line, token, time)).collect();
    assert_eq!(read(CSV, input), expected);
}

#[test]
fn a_quote_that_is_not_closed_hides_only_its_line() {
    // To the end of the input.
    let input = "token,time\na,1\nb,\"2\nc,3\nd,4\n";
    let expected = [read_row(2, "a", 1.0), Row::Bad(3, NOT_CLOSED), read_row(4, "c", 3.0), read_row(5, "d", 4.0)];
    assert_eq!(read(CSV, input), expected);
    // Within that, each line has its own quotes.
    let input = "token,time\nb,\"2\n\"c\"\"\",\"\n\"\nd,\"4\n";
    let bad = |line| Row::Bad(line, NOT_CLOSED);
    assert_eq!(read(CSV, input), [Row::Bad(2, AFTER_QUOTE), bad(3), bad(4), bad(5)]);

    // Beyond the limit of a record: after that, quoted fields may extend over lines again.
    let plain = "c,3\n".repeat(10);
    let input = format!("token,time\nb,\"2\n{plain}\"f\nf\",6\n");
    let result = try_read(CSV, limited(20), input.as_bytes()).expect("readable");
    let expected: Vec<_> = [Row::Bad(2, NOT_CLOSED)]
        .into_iter()
        .chain((3..13).map(|line| read_row(line, "c", 3.0)))
        .chain([read_row(13, "f\nf", 6.0)])
        .collect();
    assert_eq!(result, expected);
}

#[test]
fn many_quotes_that_are_not_closed_take_linear_time() {
    // Each line opens a quote, and leaves a quote open that was open before it: reading all that follows from each line
    // anew would take hours.
    let input = format!("token,time\n{}", "x\",\"\n".repeat(1_000_000));
    let rows = read(CSV, input);
    assert_eq!(rows.len(), 1_000_000);
    assert!(rows.iter().all(|row| matches!(row, Row::Bad(_, NOT_CLOSED))));
}

#[test]
fn stray_quotes_that_pair_up() {
    assert_eq!(read(CSV, "token,time\n\"a,1\nb,2\nc\",3\n"), [read_row(2, "a,1\nb,2\nc", 3.0)]);
    assert_eq!(read(CSV, "token,time\na,\"1\nb,2\nc,3\"\n"), [Row::Read(2, Some("a".into()), None)]);
    // A record over several lines with another number of fields hides nothing.
    let expected = [Row::Bad(2, FIELD_COUNT), read_row(3, "b", 2.0), Row::Bad(4, FIELD_COUNT)];
    assert_eq!(read(CSV, "token,time\n\"a,1\nb,2\nc\",3,\n"), expected);
}

#[test]
fn a_longer_record_than_the_limit_is_one_unreadable_row() {
    let input = "token,time\n1234567890,1\n123456789,1\nb,2\n";
    let result = try_read(CSV, limited(11), input.as_bytes());
    assert_eq!(result, Ok(vec![Row::Bad(2, TOO_LONG), read_row(3, "123456789", 1.0), read_row(4, "b", 2.0)]));

    let input = format!("token,time\n{}\n\"{}\",1\nb,2\n", "x".repeat(100), "y".repeat(100));
    let result = try_read(CSV, limited(11), input.as_bytes());
    assert_eq!(result, Ok(vec![Row::Bad(2, TOO_LONG), Row::Bad(3, NOT_CLOSED), read_row(4, "b", 2.0)]));
}

#[test]
fn a_long_token_is_a_row() {
    let long = "x".repeat(10 << 20);
    assert_eq!(read(CSV, format!("token,time\n\"{long}\",1\nb,2\n")), [read_row(2, &long, 1.0), read_row(3, "b", 2.0)]);
}

#[test]
fn headers() {
    assert!(read(CSV, "").is_empty());
    assert!(read(CSV, "\u{feff}\r\n\n").is_empty());
    assert!(read(CSV, "token,time").is_empty());
    assert_eq!(read(CSV, "\n\"to\nken\",token,\"time\"\nx,a,1"), [read_row(4, "a", 1.0)]);
    assert_eq!(
        error("Token,used_at, time\na,1,2"),
        "the header has no column \"token\"; its columns are: \"Token\", \"used_at\", \" time\""
    );
    assert_eq!(error("time,token,token\n"), "the header has the column \"token\" more than once");
    let many = (0..100).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    assert!(error(&many).ends_with("\"c19\", and 80 more"), "{}", error(&many));
    // However many columns there are, and however they arrive.
    let input = format!("{}token,time\n{}a,1\n", "x,".repeat(1000), ",".repeat(1000));
    let pieces = input.as_bytes().chunks(1);
    let blocks = blocks(Reader::new(CSV, common::fields(), Limits::default()), pieces, 9).expect("readable");
    assert_eq!(rows(&blocks), [read_row(2, "a", 1.0)]);
    for unreadable in ["token,\"time\na,1\n", &"x".repeat(2 << 20), &",\n\"\"".repeat(1 << 20)] {
        let shown = error(unreadable);
        assert!(shown.starts_with("the first line is not a CSV header") || shown.contains("has no column"), "{shown}");
    }
}

#[test]
fn an_error_does_not_quote_the_first_record() {
    let token = format!("eyJhbGciOiJFZERTQSJ9.{}.x", "e".repeat(30));
    let input = format!("2026-01-01T00:00:00Z,{token},\u{1b}[31m\n");
    let shown = error(&input);
    assert_eq!(shown, "the header has no column \"token\"; its columns are: (20 bytes), (53 bytes), (5 bytes)");
    // The error stays.
    let mut reader = Reader::new(CSV, common::fields(), Limits::default());
    reader.feed(input.as_bytes()).expect("not ended");
    assert_eq!(reader.take(1), reader.take(1));
    assert!(reader.take(1).is_err());
}

#[test]
fn what_an_incomplete_input_ends_with_is_unreadable() {
    let ends = |input: &str| {
        let mut reader = Reader::new(CSV, common::fields(), Limits::default());
        reader.feed(input.as_bytes()).expect("not ended");
        reader.break_off();
        rows(reader.take(9).expect("readable").as_slice())
    };
    assert_eq!(ends("time,token\n1,a\n2,b"), [read_row(2, "a", 1.0), Row::Bad(3, "the input ends within the record")]);
    assert_eq!(ends("time,token\n1,a\n2,\"b"), [read_row(2, "a", 1.0), Row::Bad(3, NOT_CLOSED)]);
    assert_eq!(ends("time,token\n1,a\n"), [read_row(2, "a", 1.0)]);
}

#[test]
fn a_reader_goes_on_at_the_end_of_a_block() {
    // Positions after a CR, within what is read line by line, and after a record over several lines.
    let input = b"token,time\r\na,1\r\n\"b\nb\",2\nc,\"3\nd,4\n\"e\ne,5\nf,6\n";
    let mut reader = Reader::new(CSV, common::fields(), limited(12));
    reader.feed(input).expect("not ended");
    reader.finish();
    let all = try_read(CSV, limited(12), input).expect("readable");
    assert_eq!(all.len(), 7);
    for done in 1..=all.len() {
        let block = reader.take(1).expect("readable").expect("a block");
        let header = reader.header().expect("read");
        assert_eq!(header, b"token,time\r");
        assert_eq!(common::resumed(CSV, limited(12), input, block.ends, Some(header)), all[done..], "{done}");
    }
}

#[test]
fn going_on_needs_the_header() {
    let resume = |offset, header: Option<&[u8]>| {
        let position = Position { offset, line: 2, by_line_until: 0 };
        Reader::resume_at(CSV, common::fields(), Limits::default(), position, header)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(resume(11, Some(b"token,time")), Ok(()));
    assert_eq!(resume(11, None), Err("to resume within a CSV file, pass its header".into()));
    assert!(resume(11, Some(b"time")).expect_err("no token").contains("no column \"token\""));
    assert!(resume(11, Some(b"token,\"time")).is_err());
    assert_eq!(resume(0, None), Ok(()));
}

#[test]
fn columns_that_are_not_named_are_not_needed() {
    let fields = Fields { token: "t".into(), proof: Some("p".into()), ..Fields::default() };
    let reader = Reader::new(CSV, fields, Limits::default());
    let blocks = blocks(reader, [b"p,t\nx,a\n,b\n".as_slice()], 9).expect("readable");
    let proofs = blocks[0].proofs.as_ref().expect("named");
    assert_eq!([0, 1].map(|row| proofs.get(row)), [Some(b"x".as_slice()), None]);
    assert_eq!(rows(&blocks), [token(2, "a"), token(3, "b")]);
}
