//! One batch in, one batch out.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use watchword_kernel::UnixTime;
use watchword_kernel::audit::{AuditRow, AuditedRequest, Auditor, time_of_use};

use crate::bytes::ByteColumn;
use crate::columns::{AuditColumns, TimeOfUse};
use crate::times::unix_seconds;
use crate::verdicts::VerdictColumns;

/// The columns of a batch that an audit reads.
pub(crate) struct Inputs {
    tokens: ByteColumn,
    times: Times,
    requests: Option<Requests>,
}

enum Times {
    Fixed(UnixTime),
    Each(Vec<f64>),
}

struct Requests {
    methods: ByteColumn,
    uris: ByteColumn,
    proofs: ByteColumn,
}

/// Audits each row of a batch, in this thread, and returns as many rows, with the columns that
/// [`AuditColumns::output`] names.
///
/// # Errors
/// [`ArrowError`] if a column is missing or has an unsuitable type, or if a column of the result would be too long. Whatever a row has is a verdict, not an error.
pub fn audit_batch(
    auditor: &Auditor,
    columns: &AuditColumns,
    output: &SchemaRef,
    batch: &RecordBatch,
) -> Result<RecordBatch, ArrowError> {
    let inputs = Inputs::of(columns, batch)?;
    let rows: Vec<_> = (0..batch.num_rows()).map(|row| inputs.row(row)).collect();
    let mut verdicts = VerdictColumns::new(rows.len(), columns.request.is_some());
    let mut is_full = false;
    auditor.audit(&rows, |row, verdict| {
        is_full = is_full || !verdicts.has_room(&verdict);
        if !is_full {
            verdicts.push(row, &verdict);
        }
    });
    if is_full {
        return Err(ArrowError::InvalidArgumentError(
            "the verdicts of the batch have 2 GiB of texts in a column: audit it in slices".to_owned(),
        ));
    }
    let kept = columns.keep.iter().map(|name| columns.column(batch, name).map(Arc::clone));
    let mut arrays = kept.collect::<Result<Vec<ArrayRef>, _>>()?;
    arrays.extend(verdicts.finish());
    RecordBatch::try_new(Arc::clone(output), arrays)
}

impl Inputs {
    pub(crate) fn of(columns: &AuditColumns, batch: &RecordBatch) -> Result<Self, ArrowError> {
        let bytes = |name: &str| ByteColumn::new(name, columns.column(batch, name)?);
        let times = match &columns.time {
            TimeOfUse::Fixed(time) => Times::Fixed(*time),
            TimeOfUse::Column(name) => Times::Each(unix_seconds(name, columns.column(batch, name)?)?),
        };
        let requests = columns.request.as_ref().map(|names| {
            let (methods, uris, proofs) = (bytes(&names.method)?, bytes(&names.uri)?, bytes(&names.proof)?);
            Ok::<_, ArrowError>(Requests { methods, uris, proofs })
        });
        Ok(Self { tokens: bytes(&columns.token)?, times, requests: requests.transpose()? })
    }

    fn row(&self, row: usize) -> AuditRow<'_> {
        let time = match &self.times {
            Times::Fixed(time) => Some(*time),
            Times::Each(seconds) => seconds.get(row).copied().and_then(time_of_use),
        };
        AuditRow { token: self.tokens.get(row), time, request: self.requests.as_ref().and_then(|all| all.row(row)) }
    }
}

impl Requests {
    fn row(&self, row: usize) -> Option<AuditedRequest<'_>> {
        let proof = self.proofs.get(row)?;
        let (method, uri) = (self.methods.get(row).unwrap_or_default(), self.uris.get(row).unwrap_or_default());
        Some(AuditedRequest { proof, method, uri })
    }
}
