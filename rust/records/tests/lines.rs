//! Plain lines, and what all formats share.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Row, blocks, read, rows, token};
use watchword_records::{Fields, Format, Limits, Position, Reader};

const LINES: Format = Format::Lines;

#[test]
fn each_line_is_a_token() {
    assert_eq!(
        read(LINES, "\u{feff}a.b.c\r\n\n  x  \n \r\ny z\n\tw"),
        [token(1, "a.b.c"), token(3, "x"), token(5, "y z"), token(6, "\tw"),]
    );
}

#[test]
fn bytes_are_kept_as_they_are() {
    let mut reader = Reader::new(LINES, Fields::default(), Limits::default());
    reader.feed(b"a\0b\rc\n\xff\xfe\n").expect("not ended");
    reader.finish();
    let block = reader.take(9).expect("readable").expect("a block");
    assert_eq!([0, 1].map(|row| block.tokens.get(row)), [Some(b"a\0b\rc".as_slice()), Some(b"\xff\xfe")]);
    assert!(block.methods.is_none() && block.uris.is_none() && block.proofs.is_none());
}

#[test]
fn utf_16_has_no_rows() {
    let utf_16: Vec<u8> =
        "\u{feff}{\"token\":\"a\"}\n{\"token\":\"b\"}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let expected = [Row::Bad(1, "not UTF-8"), Row::Bad(2, "not JSON"), Row::Bad(3, "not JSON")];
    assert_eq!(read(Format::Ndjson, &utf_16), expected);
    assert_eq!(read(LINES, &utf_16).len(), 3);
    let error = common::try_read(Format::Csv, Limits::default(), &utf_16).expect_err("no header");
    assert!(error.to_string().contains("no column \"token\""), "{error}");
}

#[test]
fn a_million_blank_lines() {
    for format in [Format::Ndjson, LINES] {
        let input = [vec![b'\n'; 1_000_000], b"{\"token\":\"a\"}".to_vec()].concat();
        let blocks = blocks(Reader::new(format, common::fields(), Limits::default()), [input.as_slice()], 9);
        let blocks = blocks.expect("readable");
        assert_eq!((blocks.len(), blocks[0].lines.as_slice()), (1, [1_000_001].as_slice()));
        assert_eq!(blocks[0].ends.offset, 1_000_013);
    }
}

#[test]
fn blocks_have_as_many_rows_as_asked_for() {
    let blocks = |max_rows| {
        let reader = Reader::new(Format::Ndjson, common::fields(), Limits::default());
        let blocks = blocks(reader, [b"{}\n!\n{}\n!\n{}\n".as_slice()], max_rows).expect("readable");
        blocks.iter().map(|block| (block.len(), block.unreadable.len(), block.ends.line)).collect::<Vec<_>>()
    };
    assert_eq!(blocks(2), [(1, 1, 3), (1, 1, 5), (1, 0, 6)]);
    assert_eq!(blocks(5), [(3, 2, 6)]);
    assert_eq!(blocks(0).len(), 5);
}

#[test]
fn blocks_have_bounded_texts() {
    let limits = Limits { max_block_bytes: 10, ..Limits::default() };
    let input = "0123456\n".repeat(5);
    let blocks = blocks(Reader::new(LINES, Fields::default(), limits), [input.as_bytes()], 100).expect("readable");
    assert_eq!(blocks.iter().map(watchword_records::Rows::len).collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn limits_beyond_the_largest_count_as_that() {
    let limits = Limits { max_record_bytes: usize::MAX, max_block_bytes: usize::MAX };
    for format in [Format::Ndjson, Format::Csv, LINES] {
        let blocks = blocks(Reader::new(format, common::fields(), limits), [b"token,time\n".as_slice()], usize::MAX);
        assert!(rows(&blocks.expect("readable")).len() <= 1);
    }
}

#[test]
fn the_end_is_known() {
    let mut reader = Reader::new(LINES, Fields::default(), Limits::default());
    reader.feed(b"a\n\n\n").expect("not ended");
    assert_eq!(reader.take(1).expect("readable").map(|block| block.ends.offset), Some(2));
    reader.finish();
    assert_eq!(reader.take(1), Ok(None));
    assert_eq!(reader.position(), Position { offset: 4, line: 4, by_line_until: 0 });
}

#[test]
fn nothing_shows_a_token() {
    let mut reader = Reader::new(Format::Csv, common::fields(), Limits::default());
    reader.feed(b"token,time\nsecret,1\nsecr").expect("not ended");
    let block = reader.take(1).expect("readable");
    assert!(block.is_some());
    let shown = format!("{reader:?}{block:?}");
    // As text, and as numbers.
    assert!(!shown.contains("secr") && !shown.contains("115, 101"), "{shown}");
}
