//! Blocks of records of a text format as record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use watchword_records::{Rows, TextColumn};

/// The columns `token`, `time` (Unix seconds, NaN if there is none) and `row` (the line on which the record begins, from 1)
/// of a block; and `method`, `uri` and `proof` if they are read.
///
/// # Errors
/// None in practice: the columns of a block are laid out as Arrow's.
pub fn records_batch(rows: Rows) -> Result<RecordBatch, ArrowError> {
    let lines = rows.lines.into_iter().map(|line| i64::try_from(line).unwrap_or(i64::MAX));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("token", binary(rows.tokens)?),
        ("time", Arc::new(Float64Array::from(rows.times))),
        ("row", Arc::new(Int64Array::from_iter_values(lines))),
    ];
    for (name, column) in [("method", rows.methods), ("uri", rows.uris), ("proof", rows.proofs)] {
        if let Some(column) = column {
            columns.push((name, binary(column)?));
        }
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
}

fn binary(column: TextColumn) -> Result<ArrayRef, ArrowError> {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(column.offsets));
    let present = NullBuffer::from(column.present);
    let nulls = (present.null_count() > 0).then_some(present);
    Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(column.bytes), nulls)?))
}
