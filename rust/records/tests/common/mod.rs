//! Reading an input in pieces, row by row.

#![allow(dead_code, reason = "each includer uses only some of the items")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use watchword_records::{Error, Fields, Format, Limits, Position, Reader, Rows, TextColumn};

/// A row: its line, and its values or the reason for which it is unreadable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    /// Line, token, time (`None` if it is NaN).
    Read(u64, Option<String>, Option<f64>),
    /// Line, reason.
    Bad(u64, &'static str),
}

pub(crate) fn read_row(line: u64, token: &str, time: f64) -> Row {
    Row::Read(line, Some(token.to_owned()), Some(time))
}

pub(crate) fn token(line: u64, token: &str) -> Row {
    Row::Read(line, Some(token.to_owned()), None)
}

pub(crate) fn fields() -> Fields {
    Fields { token: "token".into(), time: Some("time".into()), ..Fields::default() }
}

pub(crate) fn limited(max_record_bytes: usize) -> Limits {
    Limits { max_record_bytes, ..Limits::default() }
}

/// The blocks of an input that arrives in these pieces.
pub(crate) fn blocks<'a>(
    mut reader: Reader,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    max_rows: usize,
) -> Result<Vec<Rows>, Error> {
    let mut blocks = Vec::new();
    for piece in pieces {
        reader.feed(piece)?;
        while let Some(block) = reader.take(max_rows)? {
            blocks.push(block);
        }
    }
    reader.finish();
    while let Some(block) = reader.take(max_rows)? {
        blocks.push(block);
    }
    Ok(blocks)
}

pub(crate) fn rows(blocks: &[Rows]) -> Vec<Row> {
    let mut all = Vec::new();
    for block in blocks {
        check_layout(block);
        let mut rows: Vec<Row> = (0..block.len())
            .map(|row| {
                let token = block.tokens.get(row).map(|token| String::from_utf8_lossy(token).into_owned());
                Row::Read(block.lines[row], token, Some(block.times[row]).filter(|time| !time.is_nan()))
            })
            .collect();
        rows.extend(block.unreadable.iter().map(|row| Row::Bad(row.line, row.reason.as_str())));
        rows.sort_by_key(line_of);
        all.extend(rows);
    }
    all
}

fn check_layout(block: &Rows) {
    let columns = [Some(&block.tokens), block.methods.as_ref(), block.uris.as_ref(), block.proofs.as_ref()];
    for column in columns.into_iter().flatten() {
        let TextColumn { bytes, offsets, present } = column;
        assert_eq!((offsets.len(), present.len()), (block.len() + 1, block.len()));
        assert_eq!((offsets[0], usize::try_from(*offsets.last().expect("one"))), (0, Ok(bytes.len())));
        assert!(offsets.is_sorted());
    }
    assert_eq!(block.times.len(), block.len());
    assert!(block.lines.is_sorted() && block.unreadable.is_sorted_by_key(|row| row.line));
}

pub(crate) fn line_of(row: &Row) -> u64 {
    match row {
        Row::Read(line, ..) | Row::Bad(line, _) => *line,
    }
}

pub(crate) fn try_read(format: Format, limits: Limits, input: &[u8]) -> Result<Vec<Row>, Error> {
    blocks(Reader::new(format, fields(), limits), [input], usize::MAX).map(|blocks| rows(&blocks))
}

pub(crate) fn read(format: Format, input: impl AsRef<[u8]>) -> Vec<Row> {
    try_read(format, Limits::default(), input.as_ref()).expect("readable")
}

/// The blocks of what follows `position`.
pub(crate) fn resumed(
    format: Format,
    limits: Limits,
    input: &[u8],
    position: Position,
    header: Option<&[u8]>,
) -> Vec<Row> {
    let reader = Reader::resume_at(format, fields(), limits, position, header).expect("the header has the fields");
    let rest = &input[usize::try_from(position.offset).expect("in memory")..];
    rows(&blocks(reader, [rest], 3).expect("readable"))
}
