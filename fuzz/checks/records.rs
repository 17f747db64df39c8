//! Properties of arbitrary logs: the body of the fuzz target `records`, and of the test that replays its corpus.
//!
//! In every format: how the input is divided does not change the blocks; a reader that is resumed after any block yields what
//! follows; every line is accounted for. A JSON line that is read has the same token for serde_json.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a check fails by panicking")]

use watchword_records::{Error, Fields, Format, Limits, Position, Reader, Reason, Rows};

const FORMATS: [Format; 3] = [Format::Ndjson, Format::Csv, Format::Lines];

/// Small, so that a record may exceed them.
const LIMITS: Limits = Limits { max_record_bytes: 200, max_block_bytes: 100 };

/// Returns whether a format other than plain lines has rows in the input, and no unreadable ones.
pub(crate) fn records(input: &[u8]) -> bool {
    let [ndjson, csv, _] = FORMATS.map(|format| {
        let Ok((blocks, header)) = check_pieces(format, input) else { return false };
        check_going_on(format, input, &blocks, header.as_deref());
        let readable: usize = blocks.iter().map(Rows::len).sum();
        let unreadable: usize = blocks.iter().map(|block| block.unreadable.len()).sum();
        if format != Format::Csv {
            check_lines(format, input, &blocks);
        }
        readable > 0 && unreadable == 0
    });
    ndjson || csv
}

type Read = Result<(Vec<Rows>, Option<Vec<u8>>), Error>;

fn fields() -> Fields {
    let name = |name: &str| Some(name.to_owned());
    Fields {
        token: "token".into(),
        time: name("at.time"),
        method: name("method"),
        uri: name("uri"),
        proof: name("proof"),
    }
}

fn fields_of(format: Format) -> Fields {
    // Any column may be missing from a file; these are the ones of the seeds.
    if format == Format::Csv {
        return Fields { token: "token".into(), time: Some("time".into()), ..Fields::default() };
    }
    fields()
}

fn read<'a>(mut reader: Reader, pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut blocks = Vec::new();
    for piece in pieces {
        reader.feed(piece)?;
        while let Some(block) = reader.take(3)? {
            blocks.push(block);
        }
    }
    reader.finish();
    while let Some(block) = reader.take(3)? {
        assert!(!block.is_empty() && block.records() <= 3);
        blocks.push(block);
    }
    Ok((blocks, reader.header().map(<[u8]>::to_vec)))
}

fn check_pieces(format: Format, input: &[u8]) -> Read {
    let whole = read(Reader::new(format, fields_of(format), LIMITS), std::iter::once(input));
    for length in [1, 7, 150] {
        let pieces = read(Reader::new(format, fields_of(format), LIMITS), input.chunks(length));
        match (&whole, &pieces) {
            (Ok((whole, _)), Ok((pieces, _))) => {
                assert_eq!(whole.len(), pieces.len());
                whole.iter().zip(pieces).for_each(|(one, other)| assert!(same(one, other), "{one:?} {other:?}"));
            }
            (whole, pieces) => assert_eq!(whole.as_ref().err(), pieces.as_ref().err()),
        }
    }
    whole
}

/// Equal, NaN to NaN.
fn same(one: &Rows, other: &Rows) -> bool {
    let without_times = |rows: &Rows| Rows { times: Vec::new(), ..rows.clone() };
    let bits = |rows: &Rows| rows.times.iter().map(|time| time.to_bits()).collect::<Vec<_>>();
    bits(one) == bits(other) && without_times(one) == without_times(other)
}

fn check_going_on(format: Format, input: &[u8], blocks: &[Rows], header: Option<&[u8]>) {
    for (index, block) in blocks.iter().enumerate() {
        let Position { offset, line, .. } = block.ends;
        let (before, rest) = input.split_at(usize::try_from(offset).expect("in memory"));
        assert_eq!(line, 1 + count_lines(before));
        let reader = Reader::resume_at(format, fields_of(format), LIMITS, block.ends, header).expect("a header");
        let (rest, _) = read(reader, std::iter::once(rest)).expect("a header");
        let expected = &blocks[index + 1..];
        assert_eq!(rest.len(), expected.len());
        rest.iter().zip(expected).for_each(|(one, other)| assert!(same(one, other), "{one:?} {other:?}"));
    }
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Every line that is not blank is one row, readable or not.
fn check_lines(format: Format, input: &[u8], blocks: &[Rows]) {
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\r') || (format == Format::Ndjson && *byte == b'\t');
    let lines = input.split(|byte| *byte == b'\n').zip(1..);
    let expected: Vec<(u64, &[u8])> = lines
        .filter(|(line, _)| line.len() > LIMITS.max_record_bytes || !line.iter().all(is_blank))
        .map(|(line, number)| (number, line))
        .collect();
    let mut found = Vec::new();
    for block in blocks {
        found.extend(block.lines.iter().enumerate().map(|(row, line)| (*line, Ok(block.tokens.get(row)))));
        found.extend(block.unreadable.iter().map(|row| (row.line, Err(row.reason))));
    }
    found.sort_by_key(|(line, _)| *line);
    assert_eq!(found.len(), expected.len());
    for ((number, line), (found_number, result)) in expected.into_iter().zip(found) {
        assert_eq!(number, found_number);
        assert_eq!(line.len() > LIMITS.max_record_bytes, result == Err(Reason::TooLong));
        if let (Format::Ndjson, Ok(token)) = (format, result) {
            let json: serde_json::Value = serde_json::from_slice(line).expect("JSON");
            assert_eq!(token, json["token"].as_str().map(str::as_bytes));
        }
    }
}
